"""klaviyo-sql explain: the requests that a query would make, before it makes them."""

from __future__ import annotations

from argparse import Namespace

from klaviyo_sql.cli import exits, parameters, statements
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.sqlite.explanation import as_json


def run(arguments: Namespace) -> int:
    """Print what each statement would ask of Klaviyo and write to it; nothing is sent, and no key is needed."""
    arguments.dry_run = True
    script = statements.given(arguments.sql, "klaviyo-sql explain")
    values = parameters.given(arguments.param, len(script))
    with connected(arguments) as connection:
        explanations = [explain(connection, statement, values) for statement in script]
    if arguments.format == "json":
        print(f"[{','.join(map(as_json, explanations))}]")
    else:
        print("\n\n".join(map(str, explanations)))
    return exits.FINE
