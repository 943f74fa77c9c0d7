"""klaviyo-sql doctor: every link between a query and Klaviyo, one line each, with what to do where one is broken."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import klaviyo_sql
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.display import harmless
from klaviyo_sql.cli.opening import told
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.errors import Error
from klaviyo_sql.extension import data_source, installed
from klaviyo_sql.extension.settings import SANDBOX
from klaviyo_sql.settings import gathered

_SECONDS = 90


class _BrokenError(Exception):
    """A link that is broken; the text says what to do."""


class _MissingError(Exception):
    """A link that not everybody needs."""


def run(arguments: Namespace) -> int:
    """Check all of them, the later ones too when an earlier one is broken; the exit code is 1 if one is."""
    links: tuple[tuple[str, Callable[[Namespace], str]], ...] = (
        ("Python", _python),
        ("settings", _settings),
        ("key", _key),
        ("Klaviyo", _klaviyo),
        ("extension", _extension),
        ("sqlite3 shell", _shell),
        ("this Python's sqlite3", _stdlib),
        ("ODBC", _odbc),
    )
    style = look(sys.stdout)
    broken = False
    for name, check in links:
        try:
            state, said = "ok", check(arguments)
        except _MissingError as error:
            state, said = "--", str(error)
        except (_BrokenError, Error) as error:
            state, said, broken = "BROKEN", str(error), True
        print(f"{style.bold(state):<6}  {name}: {harmless(said)}")
    return exits.FAILED if broken else exits.FINE


def _python(_: Namespace) -> str:
    return f"{platform.python_version()}, {sys.executable}; klaviyo-sql {klaviyo_sql.__version__}"


def _settings(arguments: Namespace) -> str:
    with told():
        settings = gathered(config=arguments.config)
    accounts = f", accounts {', '.join(settings.accounts)}" if settings.accounts else ""
    return f"{settings.file.path or f'no file (it would be {settings.usual_file})'}{accounts}"


def _key(arguments: Namespace) -> str:
    if arguments.sandbox:
        return "the sandbox's"
    settings = gathered(config=arguments.config)
    key, _, missing = settings.key_and_server(settings.account)
    if not key:
        raise _BrokenError(missing or "there is none: set KLAVIYO_API_KEY to a private key (in Klaviyo: Settings, API keys), or try doctor --sandbox.")
    return f"there is one, for {settings.key_and_server(settings.account)[1]}"


def _klaviyo(arguments: Namespace) -> str:
    with told(), klaviyo_sql.connect(sandbox=arguments.sandbox, config=arguments.config, autocommit=True) as connection:
        row = connection.execute("SELECT contact_information_organization_name, timezone FROM accounts").fetchone()
    return f"answers for {row[0]} ({row[1]})" if row else "answers"


def _extension(arguments: Namespace) -> str:
    path = installed.library()
    host = (
        "import json, sys, apsw; c = apsw.Connection(':memory:'); c.enable_load_extension(True); c.load_extension(sys.argv[1]); "
        "print(c.execute('SELECT klaviyo_worker()').get); c.execute('SELECT count(*) FROM klaviyo_tables').get"
    )
    said = _ran([sys.executable, "-I", "-c", host, str(path)], arguments)
    worker = json.loads(said.splitlines()[0])
    if worker["version"] != klaviyo_sql.__version__:
        raise _BrokenError(
            f"{path} asks {worker['python']}, which has klaviyo-sql {worker['version']}: unset KLAVIYO_SQL_PYTHON, or let it name {sys.executable}."
        )
    return f"{path}; its worker is {worker['python']}, and writes its log to {worker['log']}"


def _shell(arguments: Namespace) -> str:
    shell = shutil.which("sqlite3")
    if shell is None:
        raise _MissingError("there is none on PATH; other programs can load the extension.")
    path = installed.library()
    version = _ran([shell, "-batch", "-cmd", f".load '{path}'", ":memory:", "SELECT sqlite_version() FROM klaviyo_tables LIMIT 1"], arguments).strip()
    return f"{shell}, SQLite {version}, loads the extension"


def _stdlib(_: Namespace) -> str:
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        raise _MissingError("it was built without the loading of extensions; klaviyo_sql.connect() needs none.")
    return f"SQLite {sqlite3.sqlite_version}, can load extensions"


def _odbc(arguments: Namespace) -> str:
    driver = next(data_source.drivers(), None)
    if driver is None:
        raise _MissingError(f"there is no driver for SQLite; programs that use ODBC need one ({data_source.HOW}).")
    source = data_source.installed_for(installed.library())
    if source is None:
        raise _MissingError(f"the driver is {driver}; no data source has the extension: klaviyo-sql odbc --install makes one.")
    if source.options.get("bigint") != "1":
        raise _BrokenError(f"the data source {source.name} has no BigInt = 1, so large integers come out wrong: klaviyo-sql odbc shows what it is to be.")
    catalog = Path(source.options.get("database", ""))
    if not catalog.is_file():
        raise _BrokenError(f"the data source {source.name} names {catalog}, which is not there: klaviyo-sql catalog '{catalog}' makes it.")
    isql = shutil.which("isql")
    if isql is None:
        raise _MissingError(f"the data source {source.name} is complete; there is no isql to try it with.")
    said = _ran([isql, source.name, "-b", "-x0x2c"], arguments, "SELECT 'answers', count(*) > 0 FROM klaviyo_tables\n")
    if "answers" not in said:
        raise _BrokenError(f"isql {source.name} does not reach the tables: {said.strip()}")
    return f"the driver {driver}, the data source {source.name}"


def _ran(command: list[str], arguments: Namespace, asked: str = "") -> str:
    """What a program prints that loads the extension."""
    environment = {**os.environ, **({SANDBOX: "1"} if arguments.sandbox else {})}
    if arguments.config:
        environment["KLAVIYO_SQL_CONFIG"] = str(arguments.config)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, env=environment, check=False, input=asked)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _BrokenError(f"{command[0]} {'does not end' if isinstance(error, subprocess.TimeoutExpired) else 'cannot be run'}.") from None
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode or not done.stdout.strip():
        raise _BrokenError(errors[-1] if errors else f"{command[0]} ended with the exit code {done.returncode}.")
    return done.stdout
