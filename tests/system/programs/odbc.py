"""python3 odbc.py DSN: what pyodbc finds in the data source, as JSON."""

import json
import sys

import pyodbc

# The driver hands on row by row only outside of transactions.
streamed = sys.argv[1].endswith("_stream")
connection = pyodbc.connect(f"DSN={sys.argv[1]}", autocommit=streamed)
cursor = connection.cursor()


def shown(rows):
    return [[value if value is None or isinstance(value, (bool, int, float, str)) else f"{type(value).__name__} {value}" for value in row] for row in rows]


told = {
    "tables": [row.table_name for row in cursor.tables()],
    "columns": {row.column_name: row.data_type for row in cursor.columns(table="events")},
    "keys": [row.column_name for row in cursor.primaryKeys(table="events")],
    "names": shown(cursor.execute("SELECT name FROM lists ORDER BY name LIMIT 3")),
    "parameters": shown(cursor.execute("SELECT name FROM lists WHERE name = ? AND 5000000000 = ?", "Newsletter", 5000000000)),
    "integers": shown(cursor.execute("SELECT count(*), 5000000000, -5000000000 FROM lists")),
    "event": shown(cursor.execute("SELECT datetime, timestamp, value, id FROM events LIMIT 1")),
}
when = cursor.execute("SELECT created FROM profiles LIMIT 1").fetchone()[0]
told["since"] = shown(cursor.execute("SELECT count(*) FROM profiles WHERE created = ?", when))[0][0]
if not streamed:
    cursor.execute("CREATE TABLE mine (x)")
    connection.rollback()
told["mine"] = "mine" in [row.table_name for row in cursor.tables()]
try:
    cursor.execute("SELECT max(value) FROM events").fetchall()
except pyodbc.Error as error:
    told["refused"] = str(error)
print(json.dumps(told))
