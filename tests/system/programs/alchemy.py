"""python3 alchemy.py LIBRARY CATALOG: SQLAlchemy, with an event that loads the extension, as a settings file of Superset's would have it."""

import json
import sys

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError

library, catalog = sys.argv[1:]
engine = create_engine(f"sqlite:///{catalog}")


@event.listens_for(engine, "connect")
def load(connection, _):
    connection.enable_load_extension(True)
    connection.load_extension(library)


def one(sql, **values):
    with engine.connect() as connection:
        return connection.execute(text(sql), values).scalar_one()


try:
    one("SELECT max(value) FROM events")
    refused = "was not refused"
except OperationalError as error:
    refused = str(error)
about = inspect(engine)
with engine.connect() as connection:
    names = list(connection.execute(text("SELECT name FROM lists ORDER BY name LIMIT 3")).scalars())
listed = "events" in about.get_table_names() and {"id", "datetime"} <= {column["name"] for column in about.get_columns("events")}
told = {
    "lists": one("SELECT count(*) FROM lists"),
    "names": names,
    "members": one("SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = :name", name="Newsletter"),
    "listed": listed and about.get_pk_constraint("events")["constrained_columns"] == ["id"],
    "refused": "max_requests" in refused or refused,
}
print(json.dumps(told))
