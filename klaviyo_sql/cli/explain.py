"""klaviyo-sql explain: the requests that a query would make, before it makes them."""

from __future__ import annotations

from argparse import Namespace

from klaviyo_sql.cli import exits, statements
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.sqlite.explain import explain


def run(arguments: Namespace) -> int:
    """Print what each statement would ask of Klaviyo."""
    with connected(arguments) as connection:
        for statement in statements.given(arguments.sql, "klaviyo-sql explain"):
            print(str(explain(connection, statement)))
    return exits.FINE
