"""Where the values of settings come from: arguments first, then the environment, then the settings file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.settings import accounts as account_settings
from klaviyo_sql.settings import file as settings_file
from klaviyo_sql.settings.accounts import AccountSettings
from klaviyo_sql.settings.file import SettingsFile, unknown
from klaviyo_sql.settings.settings import API_KEY, SETTINGS, Settings

STATE_FOLDER = "KLAVIYO_SQL_STATE_FOLDER"


def gathered(
    *,
    config: str | Path | bool | None = None,
    account: str | None = None,
    accounts: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    sandbox: Mapping[str, str] | None = None,
    **given: Any,
) -> Settings:
    """The settings from everywhere: arguments (None: not given), the environment, and the settings file that `config` names (False: none is read).

    `sandbox` is the key and the server that every account has instead of its own. InterfaceError when something makes no sense.
    """
    variables = os.environ if environment is None else environment
    file = SettingsFile() if config is False else settings_file.read(config if config is not True else None, variables, SETTINGS, _check)
    given = {name: value for name, value in given.items() if value is not None}
    everybody = dict(file.accounts)
    for name, settings in (accounts or {}).items():
        for key in settings if isinstance(settings, Mapping) else ():
            if key not in account_settings.KEYS:
                raise InterfaceError(f"account {name}: {unknown(str(key), account_settings.KEYS, 'setting of an account')}")
        known = account_settings.named(everybody, name) if isinstance(name, str) else None
        everybody.pop(known.name if known else "", None)
        everybody[name] = account_settings.account(name, settings)
    chosen = _chosen(account, everybody, file, own_key=bool(given.get("api_key") or (variables.get(API_KEY) and not sandbox)))
    if chosen is not None and given.get("base_url"):
        everybody[chosen] = replace(everybody[chosen], base_url=None)
    if sandbox is not None:
        given |= sandbox
        everybody = {name: AccountSettings(name, sandbox["api_key"]) for name in everybody}
    from_file = {name: value for name, value in file.settings.items() if name not in given and not variables.get(SETTINGS[name].variable or "")}
    settings = from_environment(**{**from_file, **given}, environment=variables)
    return replace(settings, account=chosen, accounts=everybody, properties=properties or {}, file=file, environment=variables)


def _chosen(account: str | None, accounts: Mapping[str, AccountSettings], file: SettingsFile, *, own_key: bool) -> str | None:
    """The account that tables without a schema are of."""
    if account is not None:
        found = account_settings.named(accounts, account)
        if found is None:
            where = f" The settings file is {file.path}." if file.path else ""
            raise InterfaceError(f"{unknown(account, accounts, 'account').capitalize()}{where}")
        return found.name
    if own_key:
        return None
    if file.default_account is not None and "api_key" in file.settings:
        raise file.error("the file has an api_key as well, and tables without a schema can only be of one account", "default_account")
    if file.default_account is not None or "api_key" in file.settings:
        return file.default_account
    return next(iter(accounts)) if len(accounts) == 1 else None


def from_environment(*, environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """The settings, with what is not given (or None) taken from the environment; InterfaceError when a value makes no sense."""
    variables = os.environ if environment is None else environment
    if strangers := given.keys() - SETTINGS.keys():
        raise TypeError(f"there is no setting {min(strangers)}")
    found: dict[str, Any] = {}
    for name, (kind, variable) in SETTINGS.items():
        value = kind.taken(name, given[name]) if given.get(name) is not None else None
        if value is None and variable is not None and (text := variables.get(variable)):
            read = kind.read(variable, text)
            value = None if read is None else kind.taken(name, read)
        if value is not None:
            found[name] = value
    settings = Settings(**found)
    return replace(settings, state_folder=state_folder(variables) if settings.share_limits else None)


def state_folder(variables: Mapping[str, str]) -> Path | None:
    """The folder that is named, or the usual one for what programs remember; None where there is no home."""
    if named := variables.get(STATE_FOLDER):
        return Path(named).absolute()
    usual = Path(variables.get("XDG_STATE_HOME", ""))
    try:
        return (usual if usual.is_absolute() else Path("~/.local/state").expanduser()) / "klaviyo-sql"
    except RuntimeError:
        return None


def _check(settings: Mapping[str, Any]) -> None:
    """InterfaceError when a value of the settings file makes no sense."""
    for name, value in settings.items():
        SETTINGS[name].kind.check_in_file(name, value)
    from_environment(**settings, environment={})
