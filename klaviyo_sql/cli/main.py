"""The entry point: arguments in, exit code out. Whatever goes wrong ends as one sentence on standard error."""

from __future__ import annotations

import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from klaviyo_sql import errors
from klaviyo_sql.cli import exits, terminal
from klaviyo_sql.cli.arguments import parser
from klaviyo_sql.cli.display import harmless
from klaviyo_sql.settings import API_KEY, API_URL

_NO_KEY = (
    f"There is no Klaviyo API key: set the environment variable {API_KEY}, or name a file that holds it with --key-file. "
    "With --sandbox the query runs on a built-in account instead."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when all is well, else as `klaviyo-sql --help` lists them."""
    terminal.prepare()
    arguments = Namespace(debug=False)
    try:
        try:
            arguments = parser().parse_args(argv)
            code = _run(arguments)
        except SystemExit as ended:  # argparse after --help, --version and wrong usage
            code = ended.code if isinstance(ended.code, int) else exits.WRONG_USAGE
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _ended(exits.STOPPED, "stopped.", arguments)
    except BrokenPipeError:
        terminal.abandon_output()
        return exits.PIPE_CLOSED
    except exits.UsageError as error:
        return _ended(exits.WRONG_USAGE, str(error), arguments)
    except errors.Interrupted as error:
        return _ended(exits.STOPPED, str(error), arguments)
    except errors.ProgrammingError as error:
        return _ended(exits.WRONG_USAGE, str(error), arguments)
    except errors.AuthenticationError as error:
        return _ended(exits.FAILED, str(error) if error.status or error.account or _has_key(arguments) else _NO_KEY, arguments)
    except errors.Error as error:
        return _ended(exits.FAILED, str(error), arguments)
    except OSError as error:
        what = error.filename or "the output"
        return _ended(exits.FAILED, f"{what} cannot be written or read: {error.strerror or error}.", arguments)
    except Exception as error:
        more = "" if arguments.debug else " Please report it with what --debug shows."
        return _ended(exits.FAILED, f"klaviyo-sql itself is at fault ({type(error).__name__}: {error}).{more}", arguments)


def _run(arguments: Namespace) -> int:
    """Each command is imported when it is wanted: --help should not wait for all of them."""
    match arguments.command:
        case "query":
            from klaviyo_sql.cli import query

            return query.run(arguments)
        case "tables":
            from klaviyo_sql.cli import tables

            return tables.run(arguments)
        case "explain":
            from klaviyo_sql.cli import explain

            return explain.run(arguments)
        case "cache":
            from klaviyo_sql.cli import cache

            return cache.run(arguments)
        case "accounts":
            from klaviyo_sql.cli import accounts

            return accounts.run(arguments)
        case "properties":
            from klaviyo_sql.cli import properties

            return properties.run(arguments)
        case "import":
            from klaviyo_sql.cli import import_file

            return import_file.run(arguments)
        case "extension-path":
            from klaviyo_sql.cli import extension

            return extension.run(arguments)
        case "catalog":
            from klaviyo_sql.cli import catalog

            return catalog.run(arguments)
        case "odbc":
            from klaviyo_sql.cli import odbc

            return odbc.run(arguments)
        case "doctor":
            from klaviyo_sql.cli import doctor

            return doctor.run(arguments)
        case "demo":
            from klaviyo_sql.cli import demo

            return demo.run(arguments)
        case "sandbox":
            from klaviyo_sql.cli import sandbox

            return sandbox.run(arguments)
    parser().print_help(sys.stderr)
    return exits.WRONG_USAGE


def _ended(code: int, sentence: str, arguments: Namespace) -> int:
    """Hand on what was written, and say why there is no more."""
    try:
        sys.stdout.flush()
    except OSError:
        terminal.abandon_output()
    # The sentences are written for Python's arguments; here the environment has them.
    told = f"klaviyo-sql: {sentence.replace('base_url', API_URL)}\n"
    if arguments.debug:
        told = f"{traceback.format_exc()}{told}"
    with suppress(OSError):
        sys.stderr.write(harmless(_without_key(told)))
    return code


def _without_key(text: str) -> str:
    key = os.environ.get(API_KEY, "").strip()
    return text.replace(key, "pk_…") if key else text


def _has_key(arguments: Namespace) -> bool:
    return bool(os.environ.get(API_KEY, "").strip() or getattr(arguments, "key_file", None))
