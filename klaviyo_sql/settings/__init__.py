"""What the user may set: one list of settings, where their values come from, the settings file, and what is set for a named account."""

from __future__ import annotations

from klaviyo_sql.settings.gathering import from_environment, gathered, state_folder
from klaviyo_sql.settings.kinds import flag
from klaviyo_sql.settings.settings import API_KEY, API_URL, COUNTING, MATERIALIZED, ON_ERROR, PARALLEL, SETTINGS, Settings

__all__ = [
    "API_KEY",
    "API_URL",
    "COUNTING",
    "MATERIALIZED",
    "ON_ERROR",
    "PARALLEL",
    "SETTINGS",
    "Settings",
    "flag",
    "from_environment",
    "gathered",
    "state_folder",
]
