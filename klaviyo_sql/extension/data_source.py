"""The ODBC data sources of the account: SQLite's driver, a catalog file, and the options without which it gives wrong values."""

from __future__ import annotations

import configparser
import itertools
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from klaviyo_sql.errors import InterfaceError

HOW = "on Debian and Ubuntu: apt install unixodbc libsqliteodbc; macOS: brew install unixodbc sqliteodbc"
USUAL = "SQLite3"
"""What Debian's package calls the driver."""

_LIBRARY = "libsqlite3odbc"
_FOLDERS = ("/etc", "/usr/local/etc", "/opt/homebrew/etc")
_HEADER = re.compile(r"^[ \t]*\[([^\]\n]*)\][^\n]*$", re.MULTILINE)


class Source(NamedTuple):
    """One section of odbc.ini."""

    name: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        return f"[{self.name}]\n" + "".join(f"{option} = {value}\n" for option, value in self.options.items())


def sources(name: str, *, driver: str, catalog: Path, library: Path) -> tuple[Source, Source]:
    """The one for most programs, and the one for large results."""
    usual = {
        "Driver": driver,
        "Database": str(catalog),
        "LoadExt": str(library),
        # Without it integers are cut to 32 bits, and nothing says so.
        "BigInt": "1",
        # Milliseconds that a catalog file is waited for, which another program writes.
        "Timeout": "10000",
    }
    # The driver reads all rows first and takes the types of expressions from them. StepAPI hands on each row as it comes, and expressions as texts.
    streaming = {**usual, "StepAPI": "1"}
    return Source(name, {"Description": "Klaviyo", **usual}), Source(f"{name}_stream", {"Description": "Klaviyo, row by row", **streaming})


def drivers(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The names under which SQLite's driver is installed; none where it is not."""
    for file in _driver_files(environment):
        found = _parsed(file)
        for section in found.sections():
            if _LIBRARY in (found.get(section, "driver", fallback="") or ""):
                yield section


def user_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where unixODBC looks for the data sources of this user."""
    return Path(environment.get("ODBCINI") or "~/.odbc.ini").expanduser()


def installed_for(library: Path, environment: Mapping[str, str] = os.environ) -> Source | None:
    """The first of this user's data sources that loads this extension, its options by their names in small letters."""
    found = _parsed(user_file(environment))
    for section in found.sections():
        options = {option: value or "" for option, value in found.items(section)}
        if options.get("loadext") == str(library):
            return Source(section, options)
    return None


def install(sources: tuple[Source, ...], file: Path) -> None:
    """Put them into the file, in the place of those of the same names; all else in it stays. InterfaceError when it cannot be read or written."""
    try:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        for source in sources:
            text = _with(text, source)
        _write(file.resolve(), text)
    except UnicodeDecodeError:
        raise InterfaceError(f"{file} is not UTF-8, so it is left alone: put what klaviyo-sql odbc prints into it by hand.") from None
    except OSError as error:
        raise InterfaceError(f"{file} cannot be written ({error.strerror}): put what klaviyo-sql odbc prints into a file that ODBCINI names.") from None


def _parsed(file: Path) -> configparser.RawConfigParser:
    """A file of ODBC's; nothing where it is not there or is written in another way: it is somebody else's."""
    found = configparser.RawConfigParser(strict=False, allow_no_value=True)
    with suppress(OSError, configparser.Error, UnicodeDecodeError):
        found.read(file, encoding="utf-8")
    return found


def _with(text: str, source: Source) -> str:
    headers = list(_HEADER.finditer(text))
    for header, following in itertools.zip_longest(headers, headers[1:]):
        if header[1].strip().lower() == source.name.lower():
            end = following.start() if following else len(text)
            return text[: header.start()] + str(source) + ("\n" if following else "") + text[end:]
    before = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{before}\n{source}" if before else str(source)


def _write(file: Path, text: str) -> None:
    """The whole file or none of it, as readable as it was: there may be passwords of others in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(made).chmod(mode)
        Path(made).replace(file)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise


def _driver_files(environment: Mapping[str, str]) -> Iterator[Path]:
    named = environment.get("ODBCSYSINI")
    name = environment.get("ODBCINSTINI") or "odbcinst.ini"
    for folder in (named,) if named else _FOLDERS:
        yield Path(folder) / name
