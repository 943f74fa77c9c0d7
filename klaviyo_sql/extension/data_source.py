"""The ODBC data sources of the account: SQLite's driver, a catalog file, and the options without which it gives wrong values."""

from __future__ import annotations

import errno
import itertools
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.extension import build

HOW = "on Debian and Ubuntu: apt install unixodbc libsqliteodbc; macOS: brew install unixodbc sqliteodbc"
USUAL = "SQLite3"
"""What Debian's package calls the driver."""

_LIBRARY = "libsqlite3odbc"
_FOLDERS = ("/etc", "/usr/local/etc", "/opt/homebrew/etc")
_HEADER = re.compile(r"^[ \t]*\[([^\]\n]*)\][^\n]*$", re.MULTILINE)
_COMMENTS = ";#"


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
    for name, file in installed_drivers(environment).items():
        if _LIBRARY in file:
            yield name


def installed_drivers(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The file of every driver, by the name under which it is installed."""
    named = environment.get("ODBCSYSINI")
    name = environment.get("ODBCINSTINI") or "odbcinst.ini"
    folders = (named,) if named else _FOLDERS
    return {section: options["driver"] for folder in folders for section, options in _sections(Path(folder) / name).items() if "driver" in options}


def user_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where unixODBC looks for the data sources of this user."""
    return Path(environment.get("ODBCINI") or "~/.odbc.ini").expanduser()


def installed(environment: Mapping[str, str] = os.environ) -> list[Source]:
    """Those data sources of this user that load an extension of this name, from wherever; their options by their names in small letters."""
    found = _sections(user_file(environment))
    return [Source(name, options) for name, options in found.items() if Path(options.get("loadext", "")).name == build.NAME]


def install(sources: tuple[Source, ...], file: Path) -> None:
    """Put them into the file, in the place of those of the same names; all else in it stays. InterfaceError when it cannot be read or written."""
    try:
        text = _read(file) if file.exists() else ""
        for source in sources:
            text = _with(text, source)
        _write(file.resolve(), text)
    except UnicodeDecodeError:
        raise InterfaceError(f"{file} is not UTF-8, so it is left alone: put what klaviyo-sql odbc prints into it by hand.") from None
    except OSError as error:
        raise InterfaceError(f"{file} cannot be written ({error.strerror}): put what klaviyo-sql odbc prints into a file that ODBCINI names.") from None


def _sections(file: Path) -> dict[str, dict[str, str]]:
    """What is in a file of ODBC's, as far as it can be read: it is somebody else's."""
    found: dict[str, dict[str, str]] = {}
    options: dict[str, str] = {}
    with suppress(OSError):
        for line in map(str.strip, file.read_text(encoding="utf-8", errors="replace").splitlines()):
            if header := _HEADER.match(line):
                options = found.setdefault(header[1].strip(), {})
            elif line and line[0] not in _COMMENTS:
                name, _, value = line.partition("=")
                options.setdefault(name.strip().lower(), value.strip())
    return found


def _read(file: Path) -> str:
    """The ends of lines as they are."""
    with file.open(encoding="utf-8", newline="") as opened:
        return opened.read()


def _with(text: str, source: Source) -> str:
    headers = list(_HEADER.finditer(text))
    for header, following in itertools.zip_longest(headers, headers[1:]):
        if header[1].strip().lower() == source.name.lower():
            end = following.start() if following else len(text)
            return text[: header.start()] + str(source) + _behind(text[header.start() : end]) + text[end:]
    before = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{before}\n{source}" if before else str(source)


def _behind(section: str) -> str:
    """The empty lines and comments at the end of a section, which belong to the one that follows."""
    lines = section.splitlines(keepends=True)
    behind = itertools.takewhile(lambda line: not line.strip() or line.strip()[0] in _COMMENTS, reversed(lines))
    return "".join(reversed(list(behind)))


def _write(file: Path, text: str) -> None:
    """The whole file or none of it, as readable as it was: there may be passwords of others in it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    if not mode & 0o222:
        # It could be replaced, but somebody has taken care that it is not.
        raise OSError(errno.EACCES, "it is read-only")
    descriptor, made = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
        Path(made).chmod(mode)
        Path(made).replace(file)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
