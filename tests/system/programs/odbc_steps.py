"""python3 odbc_steps.py CONNECTION: carries out the steps that it reads as JSON, one after the other over pyodbc, and prints what each gave.

A step is ["execute", SQL, PARAMETERS], ["first", SQL, COUNT] for its first rows alone, or the name of a method of the cursor or the connection and its
arguments, such as ["columns", "events"], ["commit"] or ["autocommit", true]. What it gave is {"rows", "columns"}, or {"error": [SQLSTATE, TEXT]}. A value is a
pair of its type's name and what JSON has for it.
"""

import json
import sys

import pyodbc

connection = pyodbc.connect(sys.argv[1], autocommit="_stream" in sys.argv[1])
cursor = connection.cursor()


def shown(value):
    plain = value is None or isinstance(value, (bool, int, float, str))
    return [type(value).__name__, value if plain else list(value) if isinstance(value, bytes) else value.isoformat()]


def carried_out(name, *arguments):
    if name == "autocommit":
        connection.autocommit = arguments[0]
        return {}
    if name in ("commit", "rollback"):
        getattr(connection, name)()
        return {}
    if name == "execute":
        sql, parameters = arguments
        cursor.execute(sql, *parameters)
    elif name == "executemany":
        cursor.executemany(*arguments)
    elif name == "first":
        sql, count = arguments
        return {"rows": [[shown(value) for value in row] for row in cursor.execute(sql).fetchmany(count)]}
    else:
        getattr(cursor, name)(*arguments)
    if cursor.description is None:
        return {"changed": cursor.rowcount}
    columns = [[column[0], column[1].__name__] for column in cursor.description]
    return {"columns": columns, "rows": [[shown(value) for value in row] for row in cursor.fetchall()]}


def tried(step):
    try:
        return carried_out(*step)
    except pyodbc.Error as error:
        return {"error": list(error.args)}


print(json.dumps([tried(step) for step in json.load(sys.stdin)]))
