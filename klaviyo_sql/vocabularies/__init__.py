"""The names that other systems have for Klaviyo's objects, as data: one file per system, each a schema in SQL."""

from __future__ import annotations

from klaviyo_sql.vocabularies.dlh import DLH
from klaviyo_sql.vocabularies.fivetran import FIVETRAN
from klaviyo_sql.vocabularies.hevo import HEVO
from klaviyo_sql.vocabularies.skyvia import SKYVIA
from klaviyo_sql.vocabularies.stitch import STITCH
from klaviyo_sql.vocabularies.vocabulary import Object, Origin, Vocabulary

VOCABULARIES: dict[str, Vocabulary] = {vocabulary.name: vocabulary for vocabulary in (SKYVIA, FIVETRAN, HEVO, DLH, STITCH)}
"""Every vocabulary by its schema."""

__all__ = ["VOCABULARIES", "Object", "Origin", "Vocabulary"]
