"""Scans of the rows of metrics that are meant by their names, whose ids are others in each account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from klaviyo_sql.model.table import Collection, Related, Table
from klaviyo_sql.plan.chains import Plan
from klaviyo_sql.plan.constraints import Constraint, Operator, combine
from klaviyo_sql.plan.scan import Scan

MetricsNamed = Callable[[tuple[str, ...]], tuple[Any, ...]]
"""The ids of the account's metrics that have one of these names."""


def with_ids(scan: Scan, metrics_named: MetricsNamed) -> Scan | Plan:
    """The scan with a condition on the metric's id; the plan without requests, where that is all that there can be.

    Nobody is asked for ids when the other conditions contradict each other.
    """
    table, source = scan.table, scan.table.source
    assert isinstance(source, Collection)  # noqa: S101 - others are not read by metrics' names
    contradiction = next((wanted.impossible for wanted in combine(table, scan.constraints).values() if wanted.impossible), None)
    if contradiction:
        return Plan(table, nothing=contradiction)
    ids = metrics_named(source.of_metrics)
    if not ids:
        return Plan(table, nothing=f"the account has no metric named {' or '.join(source.of_metrics)}")
    return replace(scan, constraints=(Constraint(_metric_column(table), Operator.IN, ids), *scan.constraints))


def _metric_column(table: Table) -> int:
    return next(n for n, column in enumerate(table.columns) if isinstance(column.place, Related) and column.place.relation == "metric")
