"""Local copies of materialized tables: kept fresh by what changed, answered at local speed."""

from __future__ import annotations

from klaviyo_sql.copies.file import CopyFile, default_path
from klaviyo_sql.copies.materialized import Copies, Snapshots
from klaviyo_sql.copies.need import Copy, Need
from klaviyo_sql.copies.view import View

__all__ = ["Copies", "Copy", "CopyFile", "Need", "Snapshots", "View", "default_path"]
