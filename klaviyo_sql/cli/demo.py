"""klaviyo-sql demo: the product on its built-in account, with the requests that each query takes. No key, no network."""

from __future__ import annotations

import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass

import klaviyo_sql
from klaviyo_sql import Connection
from klaviyo_sql.cli import exits, requests, statements
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.output import Output
from klaviyo_sql.cli.progress import Progress
from klaviyo_sql.cli.terminal import columns

_INTRODUCTION = "A made-up Klaviyo account in memory: 3,000 profiles, 60,000 events, and limits as Klaviyo has them."

_NEXT = """\
Try a query of your own on this account:
  klaviyo-sql demo "SELECT name, profile_count FROM lists LIMIT 3"
See what there is:
  klaviyo-sql tables
  klaviyo-sql tables events
Then on your account, with a private key (in Klaviyo: Settings, API keys):
  export KLAVIYO_API_KEY=pk_...
  klaviyo-sql query --requests \\
      "SELECT email, created FROM profiles ORDER BY created DESC LIMIT 10"
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What a query shows, and its SQL; what has to be there before is in `before`."""

    shows: str
    sql: str
    before: str = ""


EVENTS_BY_METRIC = Step(
    "What happened in the last seven days: only these events are read, and each metric's name comes from another table.",
    """\
SELECT m.name AS metric, count(*) AS events,
       count(DISTINCT e.profile_id) AS people, round(sum(value), 2) AS value
FROM events e JOIN metrics m ON m.id = e.metric_id
WHERE e.datetime >= datetime('now', '-7 days')
GROUP BY m.name ORDER BY events DESC LIMIT 8""",
)

NEWEST_PROFILES = Step(
    "The ten newest profiles: Klaviyo sorts, so one request is enough, and it asks for these columns alone.",
    """\
SELECT email, first_name, location_city AS city, created
FROM profiles ORDER BY created DESC LIMIT 10""",
)

REVENUE_BY_MONTH = Step(
    "Revenue by month, added up by Klaviyo: no event is read. The bars are drawn by SQL.",
    """\
SELECT month_start_date AS month, count AS orders,
       CAST(sum_value AS INTEGER) AS revenue,
       substr('████████████████████████', 1, round(sum_value / 1000)) AS bar
FROM monthly_metrics
WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')
ORDER BY month""",
)


WRITES = Step(
    "Writing: new rows are checked, grouped and sent when the statement ends; klaviyo_writes tells what became of each.",
    """\
SELECT w.kind, w.operation, w.status, p.email, p.first_name
FROM klaviyo_writes w JOIN profiles p ON p.id = w.key""",
    before="""\
INSERT INTO profiles (email, first_name) VALUES
  ('ada.lovelace@example.com', 'Ada'),
  ('grace.hopper@example.com', 'Grace');""",
)


def run(arguments: Namespace) -> int:
    """The tour, or the given SQL, on the sandbox."""
    with klaviyo_sql.connect(sandbox=True, write=True, autocommit=True) as connection, Output(None, arguments.width) as output:
        if arguments.sql is not None:
            for statement in statements.given(arguments.sql, "klaviyo-sql demo"):
                _show(connection, statement, output)
            return exits.FINE
        print("\n".join(textwrap.wrap(_INTRODUCTION, _width(output))), end="\n\n")
        for number, step in enumerate((EVENTS_BY_METRIC, NEWEST_PROFILES, REVENUE_BY_MONTH, _own_table(connection), WRITES), 1):
            for line in textwrap.wrap(f"{number}. {step.shows}", _width(output)):
                print(output.look.bold(line))
            print()
            before = connection.requests.written
            for statement in statements.split(step.before):
                print(_indented(statement))
                connection.execute(statement)
            # A query in the tour is no more than the terminal's own letters can draw.
            sql = step.sql if output.look.unicode else step.sql.replace("█", "#")
            print(_indented(f"{sql};"), end="\n\n")
            _show(connection, sql, output, before)
            print()
        print(_NEXT, end="")
    return exits.FINE


def _own_table(connection: Connection) -> Step:
    """A join with a table of the user's own, about people whom the account really has."""
    sandbox = connection.sandbox
    known = [profile["attributes"] for profile in sandbox.account.profiles.values()] if sandbox else []
    emails = [attributes["email"] for attributes in known if attributes["email"] and attributes["first_name"] and "'" not in attributes["email"]]
    rows = [f"('{email}', '{manager}')" for email, manager in zip(emails[7::400], ("Ada", "Ben", "Ada", "Cleo"), strict=False)]
    return Step(
        "Your own table beside Klaviyo's: of 3,000 profiles only those that the join names are read.",
        """\
SELECT c.manager, p.email, p.first_name, p.last_event_date
FROM care c JOIN profiles p ON p.email = c.email ORDER BY c.manager""",
        before="CREATE TABLE care (email TEXT, manager TEXT);\nINSERT INTO care VALUES\n  " + ",\n  ".join(rows) + ";",
    )


def _show(connection: Connection, statement: str, output: Output, before: int | None = None) -> None:
    """The rows of a statement, and the requests that it took, or all that were sent since the one with the number `before`."""
    before = connection.requests.written if before is None else before
    with Progress(connection.requests, sys.stderr) as progress:
        cursor = connection.execute(statement)
        if cursor.description is not None:
            names = [column[0] for column in cursor.description]
            output.write(_with_a_gap(FORMATS["table"](names, cursor, output.look)), progress)
    sent = requests.since(connection.requests, before)
    sys.stdout.writelines(requests.as_lines(sent, output.look, _width(output)))


def _with_a_gap(pieces: Iterator[str]) -> Iterator[str]:
    yield from pieces
    yield "\n"


def _width(output: Output) -> int:
    return output.look.width or columns()


def _indented(sql: str) -> str:
    return textwrap.indent(sql, "    ")
