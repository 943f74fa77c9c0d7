"""klaviyo-sql odbc: the data sources through which programs reach the account over ODBC."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from klaviyo_sql import settings
from klaviyo_sql.cli import catalog, exits
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.extension import data_source, installed


def run(arguments: Namespace) -> int:
    """Print them, or install them for this user together with the catalog that they name."""
    file = _catalog(arguments)
    driver = next(data_source.drivers(), None)
    if arguments.install and driver is None:
        raise InterfaceError(f"ODBC has no driver for SQLite here: install one ({data_source.HOW}).")
    library = installed.library()
    for what in (file, library):
        # Programs put the options of a connection behind one another, with semicolons.
        if any(character in str(what) for character in ";[]{}\n"):
            raise UsageError(f"{what} cannot be named in a data source: ODBC takes some of its characters for its own.")
    made = data_source.sources(arguments.name, driver=driver or data_source.USUAL, catalog=file, library=library)
    if not arguments.install:
        print("\n".join(map(str, made)), end="")
        if driver is None:
            print(f"There is no driver for SQLite here yet: install one ({data_source.HOW}).", file=sys.stderr)
        if not file.exists():
            print(f"{file} is not there yet: klaviyo-sql catalog {file} makes it, and so does klaviyo-sql odbc --install.", file=sys.stderr)
        return exits.FINE
    file.parent.mkdir(parents=True, exist_ok=True)
    catalog.write(file, "main", arguments.config)
    where = data_source.user_file()
    data_source.install(made, where)
    print(f"The data sources {' and '.join(source.name for source in made)} are in {where}. Try: isql {made[0].name}", file=sys.stderr)
    return exits.FINE


def _catalog(arguments: Namespace) -> Path:
    if arguments.catalog:
        return Path(arguments.catalog).expanduser().absolute()
    folder = settings.state_folder(os.environ)
    if folder is None:
        raise UsageError("There is no home folder to put the catalog into: name a file with --catalog.")
    return folder / "catalog.db"
