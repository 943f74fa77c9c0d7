"""Columns of custom properties: declared ones, and proposals for those that are met in a sample."""

from __future__ import annotations

from klaviyo_sql.custom_properties.columns import (
    TYPES,
    Declared,
    extended,
    from_mapping,
    from_sql,
    holder,
    path,
    quoted,
    table_and_columns,
    without,
    written,
)

__all__ = ["TYPES", "Declared", "extended", "from_mapping", "from_sql", "holder", "path", "quoted", "table_and_columns", "without", "written"]
