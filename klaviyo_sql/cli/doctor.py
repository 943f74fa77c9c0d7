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
from klaviyo_sql.extension.data_source import Source
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
    library = installed.library()
    sources = _complete(library, driver)
    isql = shutil.which("isql")
    if isql is None:
        raise _MissingError(f"the data source {sources[0].name} is complete; there is no isql to try it with.")
    done = _done([isql, sources[0].name, "-v", "-b", "-x0x2c"], arguments, "SELECT 'answers', count(*) > 0 FROM klaviyo_tables\n")
    if "answers" not in done.stdout:
        said = [line for line in (*done.stdout.splitlines(), *done.stderr.splitlines()) if line.strip()]
        raise _BrokenError(f"isql {sources[0].name} does not reach the tables: {said[0].strip() if said else 'it says nothing.'}")
    return f"the driver {driver}, the data source {sources[0].name}"


def _complete(library: Path, driver: str) -> list[Source]:
    """The data sources that load this extension, each of which is as it is to be."""
    there = data_source.installed()
    sources = [source for source in there if source.options["loadext"] == str(library)]
    if not sources:
        for source in there:
            other = Path(source.options["loadext"])
            said = f"the data source {source.name} loads {other}, {'another one' if other.exists() else 'which is not there'}"
            raise (_MissingError if other.exists() else _BrokenError)(f"{said}: klaviyo-sql odbc --install --name {source.name} lets it load {library}.")
        raise _MissingError(f"the driver is {driver}; no data source has the extension: klaviyo-sql odbc --install makes one.")
    known = {name.lower(): file for name, file in data_source.installed_drivers().items()}
    for name, options in sources:
        again = f"klaviyo-sql odbc --install --name {name.removesuffix('_stream')} makes it anew"
        named = options.get("driver", "")
        file = Path(known.get(named.lower(), named))
        if named.lower() not in known and not file.is_absolute():
            raise _BrokenError(f"the data source {name} names the driver {named or '(none)'}, which is not installed: {again}.")
        if file.is_absolute() and not file.exists():
            raise _BrokenError(f"the driver of the data source {name} is {file}, which is not there: install it ({data_source.HOW}).")
        if options.get("bigint") != "1":
            raise _BrokenError(f"the data source {name} has no BigInt = 1, so large integers come out wrong: {again}.")
        catalog = Path(options.get("database", ""))
        if not catalog.is_file():
            raise _BrokenError(f"the data source {name} names {catalog}, which is not there: klaviyo-sql catalog '{catalog}' makes it.")
    return sources


def _ran(command: list[str], arguments: Namespace) -> str:
    """What a program prints that loads the extension."""
    done = _done(command, arguments)
    errors = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode or not done.stdout.strip():
        raise _BrokenError(_sentence(errors[-1]) if errors else f"{command[0]} ended with the exit code {done.returncode}.")
    return done.stdout


def _done(command: list[str], arguments: Namespace, asked: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({SANDBOX: "1"} if arguments.sandbox else {})}
    if arguments.config:
        environment["KLAVIYO_SQL_CONFIG"] = str(arguments.config)
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, env=environment, check=False, input=asked)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _BrokenError(f"{command[0]} {'does not end' if isinstance(error, subprocess.TimeoutExpired) else 'cannot be run'}.") from None


def _sentence(error: str) -> str:
    """What the extension said, without what programs put before it; and what to do when another Python is asked than this one."""
    said = error[found:] if (found := error.find("klaviyo: ")) >= 0 else error
    named = os.environ.get("KLAVIYO_SQL_PYTHON")
    return f"{said} KLAVIYO_SQL_PYTHON is {named}: unset it, or let it name {sys.executable}." if named and "worker" in said else said
