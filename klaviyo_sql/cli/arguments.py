"""The command line's grammar, and the help that teaches it."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn

from klaviyo_sql import __version__
from klaviyo_sql.cli import exits

_FORMATS = ("table", "csv", "json", "jsonl", "markdown")
"""As `formats.FORMATS` has them; their modules are not wanted for --help."""

ON_ERROR = ("stop", "continue")
"""As `settings.ON_ERROR` has them; the settings are not wanted for --help."""

_KEY = re.compile(r"pk_\w+")
_SQL = re.compile(r"\s*(?:select|with|insert|update|delete|explain|values|create|pragma)\s", re.IGNORECASE)

_DESCRIPTION = "A Klaviyo account as a database: SQL over profiles, events, lists and more."

_EPILOG = """\
start here, without a key:
  klaviyo-sql demo
  klaviyo-sql tables events
  klaviyo-sql query --sandbox "SELECT name FROM metrics"

on your account:
  export KLAVIYO_API_KEY=pk_...
  klaviyo-sql query "SELECT email FROM profiles ORDER BY created DESC LIMIT 10"
  klaviyo-sql query "SELECT * FROM lists" --format csv > lists.csv
  klaviyo-sql query --format json < report.sql

environment:
  KLAVIYO_API_KEY    a private key of the account. It is no option, because every
                     user of the machine can read the arguments of a running
                     command; --key-file takes it from a file.
  KLAVIYO_API_URL    another server than Klaviyo's, as klaviyo-sql sandbox is
  KLAVIYO_SQL_CONFIG the settings file, with accounts and columns of your own
                     (default: ~/.config/klaviyo-sql/config.toml)
  KLAVIYO_SQL_WRITE  1 allows writing to Klaviyo, as --write does; otherwise
                     nothing there is changed
  KLAVIYO_SQL_MAX_WRITES, KLAVIYO_SQL_DRY_RUN, KLAVIYO_SQL_AUDIT_FILE
                     as --max-writes, --dry-run and --audit-file are
  KLAVIYO_SQL_MAX_REQUESTS, KLAVIYO_SQL_MAX_ROWS, KLAVIYO_SQL_STATEMENT_TIMEOUT
                     bounds of every statement, as --max-requests, --max-rows
                     and --statement-timeout are
  KLAVIYO_SQL_COUNT_REQUESTS
                     bound of the requests of scans whose rows are only counted, as
                     --count-requests is
  KLAVIYO_SQL_SHARE_LIMITS
                     0 lets each process count its requests for itself; else all
                     that have the same key stay within its limits together
  KLAVIYO_SQL_STATE_FOLDER
                     where that is kept, instead of ~/.local/state/klaviyo-sql
  KLAVIYO_SQL_COUNTS aggregates lets Klaviyo count, as --counts does
  KLAVIYO_SQL_MATERIALIZED
                     tables that are answered from a local copy, as
                     events:max_age=5m,profiles; KLAVIYO_SQL_COPY_FILE is its file
  NO_COLOR           no colors, also on a terminal

exit codes:
  0    all is well
  1    the query failed, or Klaviyo did, or rows could not be written
  2    wrong usage: an unknown option or table, or SQL that makes no sense to
       SQLite or a request that makes none to Klaviyo
  130  stopped with ^C; the rows until then were written
  141  the reader of the output went away, as with | head

klaviyo-sql COMMAND --help tells more of each command.
"""

_QUERY_EPILOG = """\
examples:
  klaviyo-sql query "SELECT name, id FROM lists"
  klaviyo-sql query "SELECT * FROM lists WHERE name = ?" --param Newsletter
  klaviyo-sql query --param since=2026-01-01 \\
      "SELECT count(*) FROM events WHERE datetime >= :since"
  klaviyo-sql query "SELECT * FROM lists" --format csv --output lists.csv
  klaviyo-sql query --database shop.db \\
      "SELECT o.total, p.id FROM orders o JOIN profiles p ON p.email = o.email"
  klaviyo-sql query --sandbox --requests "SELECT count(*) FROM events"

formats:
  table     for people. On a terminal long texts are cut (…) to its width, and
            rows that cannot fit become blocks; in a pipe or a file nothing is
            cut. NULL is NULL.
  csv       RFC 4180, with a header. NULL is nothing, an empty text is "".
  json      an array of objects. A second column of one name gets _2: id, id_2.
  jsonl     an object a line.
  markdown  a table for GitHub and chats. NULL is an empty cell.
  A BLOB is base64 in csv, json and jsonl, and x'00ff' in table and markdown.
  Columns that hold JSON are texts in every format. Rows are written while they
  are read.

Several statements, with ; between them, are executed in order; each is
committed by itself. BEGIN; … COMMIT; makes one of several: nothing is sent
before COMMIT, and what goes together is sent together.

writing:
  klaviyo-sql query --write \\
      "INSERT INTO list_profiles (list_id, profile_id) VALUES ('LIST', 'PROFILE')"
  klaviyo-sql query --dry-run "UPDATE lists SET name = 'B' WHERE name = 'A'"
  Without --write nothing in the account is changed. What became of the rows is
  said on standard error, and in the table klaviyo_writes to statements that
  follow. Klaviyo has no transactions: what was written before a row failed stays
  written.
"""

_TABLES_EPILOG = """\
examples:
  klaviyo-sql tables
  klaviyo-sql tables profiles
  klaviyo-sql tables MonthlyMetrics
  klaviyo-sql tables shop_a.profiles
  klaviyo-sql tables klaviyo_limits
  klaviyo-sql tables --format json
"""

_CACHE_EPILOG = """\
actions:
  status   which copies there are, their rows and their ages in seconds
  refresh  read what is new of a table, or of all of them
  clear    drop the copy of a table, or all of them
  path     the file

examples:
  klaviyo-sql cache status
  klaviyo-sql cache refresh events --whole
  klaviyo-sql query --materialized events --materialized profiles:max_age=5m \\
      "SELECT count(*) FROM events"
"""

_ACCOUNTS_EPILOG = """\
examples:
  klaviyo-sql accounts
  klaviyo-sql query --account shop_a "SELECT count(*) FROM profiles"
  klaviyo-sql query "SELECT account, count(*) FROM all_accounts.profiles GROUP BY 1"

An account is a section of the settings file:
  [accounts.shop_a]
  api_key_env = "SHOP_A_KEY"

unknown in the column key means that a command prints it, which is not run here.
"""

_PROPERTIES_EPILOG = """\
examples:
  klaviyo-sql properties profiles
  klaviyo-sql properties events "Placed Order"
  klaviyo-sql properties events --sample 5000 --no-examples
  klaviyo-sql properties profiles --format toml >> ~/.config/klaviyo-sql/config.toml

The newest rows are looked at: one page of them, which is 100 profiles or 1,000
events, unless --sample says more. Examples are values of real people; they are
shown to you alone and kept nowhere, and --no-examples leaves them out.
"""

_DEMO_EPILOG = """\
examples:
  klaviyo-sql demo
  klaviyo-sql demo "SELECT name, created FROM lists ORDER BY created"
"""

_SANDBOX_EPILOG = """\
examples:
  klaviyo-sql sandbox
  klaviyo-sql sandbox --port 9000 --latency-ms 80
"""

_IMPORT_EPILOG = """\
examples:
  klaviyo-sql import people.csv --into profiles --mode upsert
  klaviyo-sql import people.csv --into profiles --mode upsert --write
  klaviyo-sql import people.csv --into profiles --map "E-Mail=email" \\
      --map "Points=properties.points:number" --properties --write
  klaviyo-sql import orders.jsonl --into events --write \\
      --on-error continue --rejects rejected.jsonl

Columns are matched by name, without regard to case, spaces and underscores. Every
row is checked before anything is sent. Without --write that is all.

modes:
  insert  new rows; ten profiles and more are a bulk job, which also updates those
          that are there
  upsert  new rows, and rows that are there are changed
  update  rows that are there, named by their key; an empty field of a CSV file
          leaves what is there alone, null in JSON clears it
  delete  rows that are there, named by their key

Rows are counted without the header. Parquet needs pip install "klaviyo-sql[import]".
"""

_EXTENSION_PATH_EPILOG = """\
examples:
  sqlite3 -cmd ".load $(klaviyo-sql extension-path)"
  klaviyo-sql extension-path --build

The extension has the command line's settings: KLAVIYO_API_KEY, the settings
file, and the other variables that klaviyo-sql --help lists. With
KLAVIYO_SQL_SANDBOX=1 it asks the built-in account.
"""

_CATALOG_EPILOG = """\
examples:
  klaviyo-sql catalog klaviyo.db
  klaviyo-sql catalog skyvia.db --schema skyvia

A program that shows which tables there are finds them in this file, once it has
loaded the extension. No data is in it, and no key.
"""

_ODBC_EPILOG = """\
examples:
  klaviyo-sql odbc
  klaviyo-sql odbc --install

There are two: NAME for most programs, and NAME_stream for large results, which
hands on every row as it comes, and expressions such as count(*) as texts. No key
is in them: the program that connects has the settings in its environment, or in
the settings file.
"""

_DOCTOR_EPILOG = """\
examples:
  klaviyo-sql doctor
  klaviyo-sql doctor --sandbox
"""

_EXPLAIN_EPILOG = """\
examples:
  klaviyo-sql explain "SELECT * FROM events WHERE datetime >= '2026-01-01'"
  klaviyo-sql explain --sandbox --format json \\
      "SELECT email FROM profiles ORDER BY created LIMIT 5"
  klaviyo-sql explain "UPDATE lists SET name = 'B' WHERE id = 'ABCDEF'"

Of a statement that writes, the requests are shown with their bodies when the
rows are named by their key or stand in the statement, and otherwise how many
rows go into which. Nothing is sent.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    whole = _Parser(prog="klaviyo-sql", description=_DESCRIPTION, epilog=_EPILOG)
    whole.add_argument("--version", action="version", version=f"klaviyo-sql {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    query = _command(commands, "query", "execute SQL and print its rows", _QUERY_EPILOG)
    query.add_argument("sql", nargs="?", metavar="SQL", help="one or more statements; - or nothing reads them from standard input")
    query.add_argument("--format", choices=_FORMATS, default="table", help="how rows are printed (default: table)")
    _source(query)
    _writing(query)
    query.add_argument(
        "--param", action="append", default=[], metavar="VALUE", help="the value for a ?, or name=VALUE for :name; repeat it. Numbers become numbers."
    )
    query.add_argument("--max-requests", type=_positive, metavar="N", help="stop a statement that needs more requests")
    query.add_argument("--max-rows", type=_positive, metavar="N", help="stop a statement that reads more rows from Klaviyo")
    query.add_argument("--count-requests", type=_positive, metavar="N", help="stop a scan that only counts rows and needs more requests for that")
    query.add_argument("--statement-timeout", type=_seconds, metavar="SECONDS", help="stop a statement that takes longer")
    query.add_argument("--output", type=Path, metavar="FILE", help="write the rows to a file instead")
    _width(query)
    query.add_argument("--requests", action="store_true", help="after the rows, show on standard error the requests that were made")

    tables = _command(commands, "tables", "list the tables, or describe one", _TABLES_EPILOG)
    tables.add_argument("name", nargs="?", metavar="NAME", help="a table, as events or MonthlyMetrics, or one of a named account, as shop_a.events")
    tables.add_argument("--format", choices=_FORMATS, default="table", help="how it is printed (default: table)")
    _width(tables)
    _config(tables)

    accounts = _command(commands, "accounts", "list the accounts in the settings", _ACCOUNTS_EPILOG)
    accounts.add_argument("--format", choices=_FORMATS, default="table", help="how they are printed (default: table)")
    _width(accounts)
    _config(accounts)

    properties = _command(commands, "properties", "propose columns for the custom properties that there are", _PROPERTIES_EPILOG)
    properties.add_argument("table", choices=("profiles", "events"), help="whose properties")
    properties.add_argument("metric", nargs="?", metavar="METRIC", help="the name or id of a metric: only its events")
    properties.add_argument("--sample", type=_positive, metavar="N", help="look at so many of the newest rows (default: a page, 100 profiles or 1,000 events)")
    properties.add_argument(
        "--format", choices=(*_FORMATS, "toml", "sql"), default="table", help="toml is the section for the settings file alone, sql the statement alone"
    )
    properties.add_argument("--no-examples", dest="examples", action="store_false", help="show no values, which are personal data")
    _source(properties)
    _width(properties)

    explain = _command(commands, "explain", "show the requests that a statement would make, without making them", _EXPLAIN_EPILOG)
    explain.add_argument("sql", nargs="?", metavar="SQL", help="one or more statements; - or nothing reads them from standard input")
    explain.add_argument("--format", choices=("table", "json"), default="table", help="how it is printed; json is an array of one object a statement")
    explain.add_argument("--param", action="append", default=[], metavar="VALUE", help="the value for a ?, or name=VALUE for :name; repeat it")
    explain.add_argument("--max-writes", type=_whole, metavar="N", help="rows that one UPDATE or DELETE may touch (default: 1000; 0: any number)")
    _source(explain)

    cache = _command(commands, "cache", "the local copies of materialized tables: their age, and a refresh", _CACHE_EPILOG)
    cache.add_argument("action", choices=("status", "refresh", "clear", "path"), metavar="ACTION", help="status, refresh, clear or path")
    cache.add_argument("name", nargs="?", metavar="TABLE", help="refresh or clear this table alone")
    cache.add_argument("--whole", action="store_true", help="refresh: read everything anew, which also finds what was deleted")
    cache.add_argument("--format", choices=_FORMATS, default="table", help="how status and refresh are printed (default: table)")
    _source(cache)
    _width(cache)

    import_ = _command(commands, "import", "write the rows of a file into a table", _IMPORT_EPILOG)
    import_.add_argument("file", type=Path, metavar="FILE", help="a file of rows: CSV with a header, JSON lines, a JSON array, or Parquet")
    import_.add_argument("--into", required=True, metavar="TABLE", help="the table, as profiles or shop_a.events")
    import_.add_argument("--mode", choices=("insert", "upsert", "update", "delete"), default="insert", help="what becomes of the rows (default: insert)")
    import_.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help="a column of the file goes there: a column of the table, properties.NAME, or nothing to leave it out; properties.NAME:number, "
        ":boolean and :json make values of texts. Repeat it",
    )
    import_.add_argument("--properties", action="store_true", help="columns that the table does not have become custom properties")
    import_.add_argument("--rejects", type=Path, metavar="FILE", help="put rows that are not written there, each with the reason, to be imported again")
    import_.add_argument("--limit", type=_positive, metavar="N", help="only the first N rows")
    import_.add_argument("--format", choices=("csv", "jsonl", "json", "parquet"), help="what the file is (default: what its name says)")
    import_.add_argument("--delimiter", metavar="CHARACTER", help="what separates the fields of a CSV file (default: what its header has; tab is a word)")
    _writing(import_)
    _source(import_)
    _width(import_)

    extension = _command(commands, "extension-path", "print where the extension for other programs' SQLite is", _EXTENSION_PATH_EPILOG)
    extension.add_argument("--build", action="store_true", help="compile it first, with the C compiler and SQLite's headers that are there")

    catalog = _command(commands, "catalog", "write a database file that lists the tables, for programs with the extension", _CATALOG_EPILOG)
    catalog.add_argument("file", type=Path, metavar="FILE", help="a SQLite file, made when it is not there; other tables in it stay")
    catalog.add_argument("--schema", default="main", metavar="NAME", help="the tables of a named account, or under another system's names, such as skyvia")
    _config(catalog)

    odbc = _command(commands, "odbc", "print or install the data sources for programs that use ODBC", _ODBC_EPILOG)
    odbc.add_argument("--install", action="store_true", help="put them into ~/.odbc.ini (or the file that ODBCINI names), and write the catalog")
    odbc.add_argument("--name", type=_source_name, default="klaviyo", metavar="NAME", help="what the first is called (default: klaviyo)")
    odbc.add_argument("--catalog", type=Path, metavar="FILE", help="the file that lists the tables (default: catalog.db in the state folder)")
    _config(odbc)

    doctor = _command(commands, "doctor", "check everything that a query needs, and say what to do", _DOCTOR_EPILOG)
    doctor.add_argument("--sandbox", action="store_true", help="check with the built-in account: no key, no network")
    _config(doctor)

    demo = _command(commands, "demo", "try it on a built-in account: no key, no network", _DEMO_EPILOG)
    demo.add_argument("sql", nargs="?", metavar="SQL", help="a query of your own instead of the tour; - reads it from standard input")
    _width(demo)

    sandbox = _command(commands, "sandbox", "serve the built-in account over HTTP on this machine", _SANDBOX_EPILOG)
    sandbox.add_argument("--host", default="127.0.0.1", help="a loopback address (default: 127.0.0.1)")
    sandbox.add_argument("--port", type=_whole, default=8008, metavar="N", help="default: 8008; 0 takes any that is free")
    sandbox.add_argument("--latency-ms", type=_whole, default=0, metavar="N", help="let every reply wait so many milliseconds")
    sandbox.add_argument("--no-limits", action="store_true", help="answer any number of requests, without Klaviyo's limits")
    sandbox.add_argument("--seed", type=int, default=1, metavar="N", help="another account for every number (default: 1)")
    return whole


def _source_name(text: str) -> str:
    if not re.fullmatch(r"\w[\w .-]{0,24}", text):
        raise argparse.ArgumentTypeError("letters, digits, spaces and . _ - make a name, 25 at most")
    return text


class _Parser(argparse.ArgumentParser):
    """Mistakes are one sentence, and a key that was given by mistake is not repeated."""

    def __init__(self, **options: object) -> None:
        # An abbreviation that works today is another option tomorrow.
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        if _KEY.search(message) or "--api-key" in message:
            message = (
                "a key is not taken from the command line, where every user of the machine can read it: set KLAVIYO_API_KEY, or use --key-file FILE. "
                "Make a new key if this one was real"
            )
        elif message.startswith("argument COMMAND: invalid choice") and _SQL.match(message.partition("invalid choice: ")[2].lstrip("'\"")):
            message = 'SQL comes after the command query: klaviyo-sql query "SELECT …"'
        self.exit(exits.WRONG_USAGE, f"{self.prog}: {message}. See {self.prog} --help.\n")


def _command(commands: argparse._SubParsersAction[_Parser], name: str, does: str, epilog: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.", epilog=epilog)
    command.add_argument("--debug", action="store_true", help="show the traceback of a failure (never the key)")
    return command


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument("--sandbox", action="store_true", help="ask a built-in account instead of Klaviyo: no key, no network")
    command.add_argument("--key-file", type=Path, metavar="FILE", help="read the private key from a file (default: KLAVIYO_API_KEY)")
    command.add_argument(
        "--counts",
        choices=("rows", "aggregates", "aggregates+sums"),
        help="where counts of events and members come from: the rows (default), or Klaviyo where it counts exactly",
    )
    command.add_argument("--database", metavar="FILE", help="a SQLite file with your own tables, made when it is not there (default: in memory)")
    command.add_argument("--account", metavar="NAME", help="the account of the settings that tables without a schema are of")
    _config(command)


def _writing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--write", action="store_true", help="allow writing to Klaviyo (or set KLAVIYO_SQL_WRITE=1)")
    command.add_argument("--dry-run", action="store_true", help="print the requests that writing takes, and send none of them; reading goes on")
    command.add_argument("--max-writes", type=_whole, metavar="N", help="rows that one UPDATE or DELETE may touch (default: 1000; 0: any number)")
    command.add_argument(
        "--on-error",
        choices=ON_ERROR,
        default=None,
        help="whether the rows behind one that cannot be written are sent, and the next statements (default: stop)",
    )
    command.add_argument(
        "--job-timeout", type=_not_negative, metavar="SECONDS", help="how long bulk jobs are waited for (default: until they are done; 0: not at all)"
    )
    command.add_argument("--audit-file", type=Path, metavar="FILE", help="note every write that is sent, a line each (or set KLAVIYO_SQL_AUDIT_FILE)")


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument("--config", type=Path, metavar="FILE", help="another settings file (default: KLAVIYO_SQL_CONFIG, or the one in ~/.config/klaviyo-sql)")

    command.add_argument(
        "--materialized",
        action="append",
        default=[],
        metavar="TABLE",
        help="answer the table from a local copy that is brought up to date first; TABLE:max_age=5m spares even that for so long. Repeat it, "
        "or set KLAVIYO_SQL_MATERIALIZED",
    )
    command.add_argument("--copy-file", type=Path, metavar="FILE", help="where the local copies lie (default: a file for the account in the cache folder)")


def _width(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--width", type=_whole, metavar="N", help="cut tables to N columns; 0 cuts nothing (default: the terminal's width, 0 in a pipe or file)"
    )


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise ValueError(text)
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


_not_negative.__name__ = "number of seconds"
_positive.__name__ = "whole number from 1"
_seconds.__name__ = "number of seconds"
_whole.__name__ = "whole number"  # argparse names the type so when a value is none
