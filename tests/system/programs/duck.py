"""python3 duck.py FOLDER [DSN]: DuckDB, on the copies in the folder, or live through its odbc_scanner.

Its extensions come as packages of Python's, since no test downloads anything.
"""

import importlib
import json
import sys
from pathlib import Path

import duckdb


def load(name):
    module = importlib.import_module(f"duckdb_extension_{name}")
    (path,) = Path(module.__file__).parent.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")
    connection.execute(f"LOAD '{path}'")


def tried(sql):
    try:
        return rows(sql)
    except duckdb.Error as error:
        return str(error)


def rows(sql):
    found = connection.execute(sql)
    return [[column[0], str(column[1])] for column in found.description], [[str(value) for value in row] for row in found.fetchall()]


folder, *source = sys.argv[1:]
connection = duckdb.connect()
if source:
    load("odbc_scanner")
    connection.execute(f"SET VARIABLE klaviyo = odbc_connect('DSN={source[0]}')")
    asked = {
        "typed": "SELECT id, datetime, value, CAST(timestamp AS TEXT) AS timestamp FROM events ORDER BY datetime DESC LIMIT 3",
        "integers": "SELECT timestamp FROM events LIMIT 1",
        "expression": "SELECT count(*) FROM lists",
    }
    told = {name: tried(f"SELECT * FROM odbc_query(getvariable('klaviyo'), '{sql}')") for name, sql in asked.items()}
    summed = "SELECT CAST(timestamp AS TEXT) AS timestamp FROM events ORDER BY datetime DESC LIMIT 3"
    told["cast"] = rows(f"SELECT max(CAST(timestamp AS BIGINT)) AS latest FROM odbc_query(getvariable('klaviyo'), '{summed}')")
else:
    load("sqlite_scanner")
    connection.execute(f"ATTACH '{folder}/copy.db' AS klaviyo (TYPE sqlite, READ_ONLY)")
    connection.execute(f"ATTACH '{folder}/catalog.db' AS listed (TYPE sqlite, READ_ONLY)")
    told = {
        "copy": rows("SELECT id, CAST(datetime AS TIMESTAMP) AS datetime, value, timestamp FROM klaviyo.e ORDER BY id"),
        "jsonl": rows(f"SELECT id, datetime, value, timestamp FROM read_json('{folder}/events.jsonl') ORDER BY id"),
        "csv": rows(f"SELECT id, datetime, value, timestamp FROM read_csv('{folder}/events.csv') ORDER BY id"),
        "catalog": tried("SELECT count(*) FROM listed.lists"),
    }
print(json.dumps(told))
