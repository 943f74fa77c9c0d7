"""A scan of one table, planned: which requests begin it, what they leave to be checked, what is known without asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from klaviyo_sql.model.table import Aggregates, Collection, Table
from klaviyo_sql.plan import listing, period_tables
from klaviyo_sql.plan.chains import Plan
from klaviyo_sql.plan.constraints import combine
from klaviyo_sql.plan.cost import way_for
from klaviyo_sql.plan.scan import Scan, Today


def plan(scan: Scan, tables: dict[str, Table], today: Callable[[], Today]) -> Plan:
    """The plan of a scan; DataError when a time column is compared with a text that is no time.

    `today` is asked for the period tables alone, and not when the conditions contradict each other.
    """
    taken = tuple((constraint.column, constraint.operator) for constraint in scan.constraints)
    scan = replace(scan, table=way_for(scan.table, scan.columns, taken, tables, scan.order.column if scan.order else None))
    wanted = combine(scan.table, scan.constraints)
    contradiction = next((entry.impossible for entry in wanted.values() if entry.impossible), None)
    if contradiction:
        return Plan(scan.table, nothing=contradiction)

    def of_parents(parents: Scan) -> Plan:
        return plan(parents, tables, _no_day)

    if isinstance(scan.table.source, Aggregates):
        return period_tables.plan(scan, scan.table.source, wanted, tables, today(), of_parents)
    assert isinstance(scan.table.source, Collection)  # noqa: S101 - questions are planned in plan/questions.py
    return listing.plan(scan, scan.table.source, wanted, tables, of_parents)


def _no_day() -> Today:
    raise AssertionError("parents are collections")
