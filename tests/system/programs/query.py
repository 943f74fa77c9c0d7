"""python3 query.py LIBRARY CATALOG: Python's own sqlite3."""

import json
import sqlite3
import sys

library, catalog = sys.argv[1:]
connection = sqlite3.connect(catalog)
connection.enable_load_extension(True)
connection.load_extension(library)


def one(sql, *values):
    return connection.execute(sql, values).fetchone()[0]


try:
    one("SELECT max(value) FROM events")
    refused = "was not refused"
except sqlite3.Error as error:
    refused = str(error)
print(
    json.dumps(
        {
            "lists": one("SELECT count(*) FROM lists"),
            "names": [row[0] for row in connection.execute("SELECT name FROM lists ORDER BY name LIMIT 3")],
            "members": one("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?", "Newsletter"),
            "listed": one("SELECT count(*) FROM sqlite_master WHERE name = 'events'") == 1,
            "refused": "max_requests" in refused or refused,
        }
    )
)
