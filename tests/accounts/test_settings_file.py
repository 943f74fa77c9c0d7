"""The settings file: what it may say, what goes before it, and mistakes that name the line."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql import InterfaceError
from klaviyo_sql.opening import opened
from klaviyo_sql.settings import Settings, gathered

SECRET = "pk_0123456789secret"  # noqa: S105 - nobody's


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.touch(0o600)
    return path


def read(file: Path, text: str, environment: dict[str, str] | None = None, **given: object) -> Settings:
    file.write_text(text, encoding="utf-8")
    return gathered(config=file, environment=environment or {}, **given)


def test_without_a_file_everything_is_as_ever(tmp_path: Path) -> None:
    settings = gathered(environment={"XDG_CONFIG_HOME": str(tmp_path)})
    assert settings.parallel == 20
    assert not settings.accounts
    assert settings.account is None


def test_the_usual_place_and_the_variable(tmp_path: Path) -> None:
    usual = tmp_path / "klaviyo-sql" / "config.toml"
    usual.parent.mkdir()
    usual.write_text("parallel = 3")
    other = tmp_path / "other.toml"
    other.write_text("parallel = 5")
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert gathered(environment=environment).parallel == 3
    assert gathered(environment=environment | {"KLAVIYO_SQL_CONFIG": str(other)}).parallel == 5
    assert gathered(environment=environment | {"KLAVIYO_SQL_CONFIG": str(usual)}, config=other).parallel == 5
    assert gathered(environment=environment, config=False).parallel == 20


def test_arguments_before_the_environment_before_the_file(file: Path) -> None:
    text = f'api_key = "{SECRET}"\nbase_url = "https://file.example"\nwrite = true\ncache_seconds = 5\ntimeout = 2'
    assert read(file, text).api_key == SECRET
    settings = read(file, text, {"KLAVIYO_API_KEY": "pk_environment", "KLAVIYO_API_URL": "https://environment.example", "KLAVIYO_SQL_WRITE": "0"}, timeout=7)
    assert (settings.api_key, settings.base_url, settings.write) == ("pk_environment", "https://environment.example", False)
    assert (settings.timeout, settings.cache_seconds) == (7, 5)
    assert read(file, text, {"KLAVIYO_API_URL": "https://environment.example"}, base_url="https://argument.example").base_url == "https://argument.example"


def test_where_keys_come_from(file: Path) -> None:
    command = f"['{sys.executable}', '-c', 'print(\"pk_printed\")']"
    text = f"""
    [accounts.here]
    api_key = "{SECRET}"
    [accounts.there]
    api_key_env = "THERE"
    base_url = "https://there.example/"
    [accounts.printed]
    api_key_command = {command}
    [accounts.silent]
    api_key_command = ['{sys.executable}', '-c', 'raise SystemExit(3)']
    """
    settings = read(file, text, {"THERE": "pk_there"})
    assert settings.key_and_server("here")[:2] == (SECRET, "https://a.klaviyo.com")
    assert settings.key_and_server("there")[:2] == ("pk_there", "https://there.example")
    assert settings.key_and_server("printed")[0] == "pk_printed"
    key, _, missing = settings.key_and_server("silent")
    assert key is None
    assert missing is not None
    assert "exit code 3" in missing
    assert read(file, text).key_and_server("there")[0] is None
    assert [account.key_is_there({}) for account in settings.accounts.values()] == [True, False, None, None]


def test_the_account_of_tables_without_a_schema(file: Path) -> None:
    two = f'[accounts.shop_a]\napi_key = "{SECRET}"\n[accounts.shop_b]\napi_key_env = "B"\n'
    assert read(file, two).account is None
    assert read(file, f'default_account = "Shop_B"\n{two}').account == "shop_b"
    assert read(file, f'default_account = "shop_b"\n{two}', account="SHOP_A").account == "shop_a"
    assert read(file, f'default_account = "shop_b"\n{two}', {"KLAVIYO_API_KEY": "pk_environment"}).account is None
    assert read(file, f'default_account = "shop_b"\n{two}', api_key="pk_argument").account is None
    assert read(file, "[accounts.only]").account == "only"
    with pytest.raises(InterfaceError, match="There is no account shop_c"):
        read(file, two, account="shop_c")
    with pytest.raises(InterfaceError, match="api_key as well"):
        read(file, f'api_key = "{SECRET}"\ndefault_account = "shop_b"\n{two}')


def test_accounts_given_as_arguments_replace_those_of_the_file(file: Path) -> None:
    settings = read(file, '[accounts.shop_a]\napi_key_env = "FILE"', accounts={"Shop_A": {"api_key_env": "ARGUMENT"}, "shop_b": {}})
    assert {account.name: account.api_key_env for account in settings.accounts.values()} == {"Shop_A": "ARGUMENT", "shop_b": None}
    with pytest.raises(InterfaceError, match="Did you mean api_key_env"):
        gathered(accounts={"shop_a": {"api_key_enw": "X"}}, config=False)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("paralel = 3", 1, "Did you mean parallel"),
        ("# a remark\n\nparallel = 0", 3, "parallel must be a number of at least 1"),
        ('timeout = "soon"', 1, "timeout must be a number"),
        ("write = 1", 1, "write must be true or false"),
        ("[account.shop_a]", 1, "Did you mean accounts"),
        ('[accounts.shop_a]\napi_key_env = "A"\n[accounts.shop_b]\napi_key_enw = "B"', 4, "Did you mean api_key_env"),
        ('[accounts.shop_a]\n[accounts."shop-b"]', 2, "letters, digits and _"),
        ("[accounts.main]", 1, "a schema has that name already"),
        ("[accounts.Temp]", 1, "a schema has that name already"),
        ("[accounts.all_accounts]", 1, "a schema has that name already"),
        ("[accounts.fivetran]", 1, "a schema has that name already"),
        ("[accounts.shop_a]\n[accounts.SHOP_A]", 2, "SQL ignores case"),
        ('[accounts.shop_a]\napi_key = "k"\napi_key_env = "K"', 1, "a key comes from one place"),
        ('[accounts.shop_a]\napi_key_command = "op read x"', 1, "a list of words"),
        ('default_account = "shop_b"\n[accounts.shop_a]', 1, "Did you mean shop_a"),
        ('[properties.profile]\ntier = "TEXT"', 2, "Did you mean profiles"),
        ('[properties.profiles]\nltv = "REAL"\ntier = "TXT"', 3, "Did you mean TEXT"),
        ('[properties.profiles]\nEmail = "TEXT"', 2, "has a column email already"),
        ('[properties.profiles]\ntier = "TEXT"\nTIER = "TEXT"', 3, "already"),
        ('[properties.lists]\ntier = "TEXT"', 2, "has no custom properties"),
        ('[properties.events]\nsku = { type = "TEXT", path = "items" }', 2, "must begin with \\$"),
        ('[properties.events]\nsku = { type = "TEXT", paht = "$.items" }', 2, "type and path"),
    ],
)
def test_a_mistake_names_the_file_the_line_and_what_was_meant(file: Path, text: str, line: int, says: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InterfaceError, match=says) as told:
        opened(":memory:", sandbox=False, autocommit=True, config=file)
    assert f"In the settings file {file}, line {line}" in str(told.value)


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InterfaceError, match="There is no settings file"):
        gathered(config=tmp_path / "nowhere.toml")
    with pytest.raises(InterfaceError, match="cannot be read"):
        gathered(config=tmp_path)
    broken = tmp_path / "broken.toml"
    broken.write_text(f'api_key = "{SECRET}"\n[accounts.shop_a\n')
    with pytest.raises(InterfaceError, match=r"is not TOML.*line 2") as told:
        gathered(config=broken)
    assert SECRET not in repr(told.value)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(InterfaceError, match="UTF-8"):
        gathered(config=broken)


def test_keys_are_shown_nowhere(file: Path) -> None:
    settings = read(file, f'api_key = "{SECRET}"\n[accounts.shop_a]\napi_key = "{SECRET}a"\n[accounts.shop_b]\napi_key_command = ["echo", "{SECRET}b"]')
    for shown in (repr(settings), repr(settings.file), repr(settings.accounts), str(vars(settings.file)["accounts"])):
        assert SECRET not in shown
    for text in (f'{SECRET} = "x"', f"[accounts.{SECRET}]\nx = 1", f'[accounts.shop_a]\n{SECRET} = "x"', f'[accounts.shop_a]\napi_key = ["{SECRET}"]'):
        with pytest.raises(InterfaceError) as told:
            read(file, text)
        assert SECRET not in str(told.value)


@pytest.mark.skipif(sys.platform == "win32", reason="files have no modes")
def test_a_file_with_keys_that_others_can_read_is_warned_of(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(file, f'api_key = "{SECRET}"')
        file.chmod(0o644)
        read(file, '[accounts.shop_a]\napi_key_env = "A"')
    with pytest.warns(UserWarning, match="chmod 600"):
        read(file, f'[accounts.shop_a]\napi_key = "{SECRET}"')


def test_the_file_has_every_setting_of_connect(file: Path) -> None:
    import inspect

    others = {"database", "sandbox", "autocommit", "config", "account", "accounts", "properties"}
    for name in inspect.signature(klaviyo_sql.connect).parameters.keys() - others:
        try:
            read(file, f"{name} = []")
        except InterfaceError as told:
            assert "there is no setting" not in str(told)  # noqa: PT017 - it may be raised, for that is no value of most
