"""The period tables, planned: the complete past days, weeks and months of metric aggregates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from klaviyo_sql import contract
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Aggregates, Measurement, ParentId, PeriodStart, Table
from klaviyo_sql.plan import periods
from klaviyo_sql.plan.chains import Aggregate, Chain, Check, Plan, Row
from klaviyo_sql.plan.children import of_children
from klaviyo_sql.plan.constraints import Unknown, Wanted
from klaviyo_sql.plan.scan import Scan, Today


def plan(scan: Scan, source: Aggregates, wanted: dict[int, Wanted], tables: dict[str, Table], today: Today, of_parents: Callable[[Scan], Plan]) -> Plan:
    """One chain for each metric and year."""
    table = scan.table
    start_column = next(position for position, column in enumerate(table.columns) if isinstance(column.place, PeriodStart))
    start = wanted.get(start_column, Wanted())
    span = periods.complete_periods(source.interval, start, today.day)
    if span is None:
        return Plan(table, nothing=f"no complete past {source.interval} is inside the range")
    checks: tuple[Check, ...] = ()
    if start.values is not None:
        days = frozenset(value.date().isoformat() for value in start.values if not isinstance(value, Unknown))
        checks = (Check(start_column, values=days),) if days else ()
    columns = tuple(dict.fromkeys((*scan.columns, *(check.column for check in checks))))
    used = tuple(column.place.name for column in table.columns if isinstance(column.place, Measurement) and table.columns.index(column) in columns)
    measurements = tuple(name for name in periods.MEASUREMENTS if name in used) or ("count",)
    operation = contract.operation(source.operation)

    def chains_of(parents: Sequence[Row]) -> tuple[Chain, ...]:
        ((metric_id, *_),) = parents
        return tuple(
            Chain(
                request=Request(
                    source.operation,
                    operation.method,
                    operation.path,
                    body=periods.body(str(metric_id), piece, today.timezone, measurements),
                    table=table.name,
                ),
                columns=columns,
                decoded=tuple(table.columns[column] for column in columns),
                constants=tuple(metric_id if isinstance(table.columns[column].place, ParentId) else None for column in columns),
                checks=checks,
                absent_statuses=frozenset({404}),
                aggregate=Aggregate(piece, today.timezone),
            )
            for piece in periods.spans_of_a_year(span, today.timezone)
        )

    sent = tuple(table.columns[column].name for column in wanted)
    return of_children(Plan(table, sent=sent), scan, wanted, tables, of_parents, chains_of)
