"""Executes statements in this Python's SQLite with the extension loaded; prints the version of SQLite, and for each statement its rows, or its error's text.

Arguments: LIBRARY DATABASE. The statements come as a JSON array on standard input.
"""

from __future__ import annotations

import json
import sqlite3
import sys


def main() -> None:
    library, database = sys.argv[1:]
    connection = sqlite3.connect(database, isolation_level=None)
    connection.enable_load_extension(True)
    connection.load_extension(library)
    told: list[object] = []
    for sql in json.load(sys.stdin):
        try:
            told.append(connection.execute(sql).fetchall())
        except sqlite3.Error as error:
            told.append(str(error))
    print(json.dumps([sqlite3.sqlite_version, told]))


main()
