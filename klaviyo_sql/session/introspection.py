"""The rows of the tables in which the driver tells of itself (`own_tables.py`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from klaviyo_sql import contract
from klaviyo_sql.copies import Copies
from klaviyo_sql.copies.materialized import report_row
from klaviyo_sql.fetch import Allowance, Limits, RequestLog
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.procedure import Procedure
from klaviyo_sql.model.table import Collection, Table, pascal_case
from klaviyo_sql.plan import pushdown
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.procedures import SUBJECTS
from klaviyo_sql.write.calls import shown_type, signature
from klaviyo_sql.write.log import WriteLog


def requests(log: RequestLog) -> list[Row]:
    """Every request of the connection that is still in the log, oldest first."""
    return [
        (
            record.number,
            timestamps.to_sql(record.started_at, microseconds=True),
            record.operation,
            record.table,
            record.method,
            record.path,
            record.query,
            record.status,
            round(record.milliseconds, 3),
            round(record.waited_ms, 3),
            record.rows,
            record.bytes,
            record.retries,
            int(record.cached),
            record.remaining,
            record.error,
            record.account,
        )
        for record in log
    ]


def limits(known: Limits) -> list[Row]:
    """Every window of every operation that was asked for."""
    return [
        (
            left.operation,
            _tier(left),
            left.seconds,
            left.limit,
            left.used,
            left.remaining,
            None if left.free_at is None else timestamps.to_sql(timestamps.ceiling(left.free_at)),
            left.reason,
        )
        for operation in known.operations
        for left in known.remaining(operation)
    ]


def _tier(left: Allowance) -> str:
    operation = contract.operation(left.operation)
    costly = [f"{lower.parameter}={lower.value}" for lower in operation.lower_rates if lower.rate == left.rate]
    return "usual" if left.rate == operation.rate else ", ".join(costly)


Declared = Iterable[tuple[str, Iterable[Table]]]
"""Schemas, each with its tables."""


def tables(declared: Declared) -> list[Row]:
    """Every table, with the operation that reads it and its limits."""
    rows: list[Row] = []
    for schema, table in ((schema, table) for schema, tables in declared for table in tables):
        name = operation_name(table)
        operation = contract.operation(name)
        rate = operation.rate
        rows.append(
            (
                schema,
                table.name,
                table.names[-1] if len(table.names) > 1 else None,
                table.doc,
                ", ".join(table.key),
                name,
                operation.page.max if operation.page else None,
                rate.burst,
                rate.steady,
                " ".join(operation.scopes),
                " ".join(table.notes) or None,
            )
        )
    return rows


def copies(known: Copies) -> list[Row]:
    """Every local copy, with its age in seconds and when it was read whole."""
    return [report_row(report) for report in known.reports()]


def columns(declared: Declared) -> list[Row]:
    """Every column, with the comparisons that are sent to Klaviyo."""
    return [
        (
            schema,
            table.name,
            position,
            column.name,
            pascal_case(column.name) if len(table.names) > 1 else None,
            column.type.declared,
            int(column.not_null),
            int(column.hidden),
            ", ".join(pushed(table, position)) or None,
            int(is_exact(table, position)),
            int(pushdown.sorts(table, position)),
            column.doc,
        )
        for schema, tables in declared
        for table in tables
        for position, column in enumerate(table.columns)
    ]


def operation_name(table: Table) -> str:
    """The operation that reads the table's rows."""
    return table.source.list if isinstance(table.source, Collection) else table.source.operation


def pushed(table: Table, position: int) -> list[Operator]:
    """The comparisons on the column that Klaviyo, and not only SQLite, is asked for."""
    return [operator for operator in Operator if pushdown.is_pushed(table, position, operator)]


def is_exact(table: Table, position: int) -> bool:
    """Whether everything that is sent of the column is answered exactly."""
    operators = pushed(table, position)
    return bool(operators) and all(pushdown.is_exact(table, position, operator) for operator in operators)


def writes(log: WriteLog) -> list[Row]:
    """The rows of klaviyo_writes."""
    return [
        (
            change.number,
            change.statement,
            str(change.kind) if change.procedure is None else "CALL",
            change.table.name if change.procedure is None else change.procedure,
            None if change.key is None else str(change.key[0]) if len(change.key) == 1 else msgspec.json.encode(change.key).decode(),
            change.operation or None,
            change.job,
            str(change.status),
            change.error,
            msgspec.json.encode(change.shown, enc_hook=repr).decode(),
            change.account,
        )
        for change in log
    ]


def operations_of(procedure: Procedure) -> tuple[str, ...]:
    """Klaviyo's names for what a procedure asks."""
    found: list[str] = []
    for way in procedure.ways:
        writes = way.table.writes
        if writes is None:
            continue
        if writes.links is not None:
            found.append(str(writes.links.add if way.kind == "INSERT" else writes.links.remove))
        one = {"INSERT": writes.insert_many or writes.insert, "UPDATE": writes.update, "DELETE": writes.delete_many}[way.kind]
        found += [one.operation] if one is not None else []
    return tuple(dict.fromkeys((*found, *(procedure.looks or {}).values())))


def procedures() -> list[Row]:
    """The rows of klaviyo_procedures."""
    return [
        (
            procedure.name,
            ", ".join(procedure.names[1:]),
            subject,
            procedure.doc,
            signature(procedure),
            _json(
                {
                    "name": known.name,
                    "type": shown_type(known),
                    "required": known.required,
                    "default": known.default,
                    "choices": known.choices or None,
                    "description": known.doc,
                    "other_names": known.names,
                }
                for known in procedure.all_inputs
            ),
            _json({"name": found.name, "type": found.type.declared, "description": found.doc} for found in procedure.all_results),
            ", ".join(operations_of(procedure)),
            " ".join(dict.fromkeys(scope for name in operations_of(procedure) for scope in contract.operation(name).scopes)),
            int(not procedure.reads),
            procedure.confirm,
            int(procedure.gathers),
            procedure.example,
            " ".join(procedure.notes) or None,
        )
        for subject, found_in in SUBJECTS.items()
        for procedure in found_in
    ]


def _json(found: Iterable[dict[str, Any]]) -> str:
    return msgspec.json.encode(list(found)).decode()
