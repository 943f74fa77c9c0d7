"""What SQLite and a virtual table agree on before a scan: which terms are handed over, which order and how many rows are wanted.

The agreement travels from xBestIndex to xFilter as JSON text, which EXPLAIN QUERY PLAN shows as well.
"""

from __future__ import annotations

import functools
from typing import Any

import apsw
import msgspec

from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Grouping, Parameter, ParentId, Table
from klaviyo_sql.plan import cost, pushdown
from klaviyo_sql.plan.constraints import Constraint, Operator, Unknown, comparable
from klaviyo_sql.plan.scan import Order

_LAST_BIT = 63

_EQUAL, _IS = apsw.SQLITE_INDEX_CONSTRAINT_EQ, apsw.SQLITE_INDEX_CONSTRAINT_IS
OPERATORS: dict[int, Operator] = {
    _EQUAL: Operator.EQUAL,
    apsw.SQLITE_INDEX_CONSTRAINT_GT: Operator.GREATER,
    apsw.SQLITE_INDEX_CONSTRAINT_GE: Operator.GREATER_OR_EQUAL,
    apsw.SQLITE_INDEX_CONSTRAINT_LT: Operator.LESS,
    apsw.SQLITE_INDEX_CONSTRAINT_LE: Operator.LESS_OR_EQUAL,
    apsw.SQLITE_INDEX_CONSTRAINT_ISNOTNULL: Operator.NOT_NULL,
}


class Agreement(msgspec.Struct, frozen=True, omit_defaults=True):
    """The table, terms as (column, operator, value if it is a literal), the columns that are read, the order to keep, and the rows that are enough."""

    table: str
    terms: tuple[tuple[int, Operator, Any], ...]
    columns: tuple[int, ...]
    order: tuple[int, bool] | None = None
    limit: int | None = None
    copied: bool = False
    """Whether the rows are those of the local copy."""
    sifted: bool = False
    """Whether a LIMIT ends the scan at a row that nobody knows, because SQLite drops some that come before."""

    def constraints(self, values: tuple[Any, ...]) -> tuple[Constraint, ...]:
        """The terms with the values of one run."""
        return tuple(
            Constraint(column, operator, tuple(sorted(value or (), key=_by_type)) if operator is Operator.IN else value)
            for (column, operator, _), value in zip(self.terms, values, strict=True)
        )

    def presumed(self) -> tuple[Constraint, ...]:
        """The terms before any run: literals as they are, what else is compared with unknown."""
        return tuple(
            Constraint(column, operator, (Unknown(),) if operator is Operator.IN else Unknown() if value is None else value)
            for column, operator, value in self.terms
        )

    @property
    def scan_order(self) -> Order | None:
        return Order(*self.order) if self.order else None


def _by_type(value: Any) -> tuple[bool, str, Any]:
    """A fixed order for the values of an IN, which come as a set: the same query makes the same requests in every process."""
    return value is not None, type(value).__name__, 0 if value is None else value


_ENCODER = msgspec.json.Encoder(enc_hook=repr)


def text(agreement: Agreement) -> str:
    """The agreement as it travels."""
    return _ENCODER.encode(agreement).decode()


@functools.lru_cache(maxsize=1024)
def read(agreed: str) -> Agreement:
    """The agreement of such a text."""
    return msgspec.json.decode(agreed, type=Agreement)


def agree(info: apsw.IndexInfo, table: Table, tables: dict[str, Table], name: str) -> bool:
    """Fill in SQLite's index information for one way to scan the table; `name` tells it from all others of the connection.

    LIMIT is never taken over: SQLite counts, and stops asking for rows. Its value only sizes the first page, and only when Klaviyo's own
    answer has no row too many. DataError when a time column is compared with a literal that is no time.

    False when this way is impossible: an argument of a question would only be known afterwards.
    """
    terms: list[tuple[int, Operator, Any]] = []
    exact = True
    limit: int | None = None
    offset = 0
    for n in range(info.nConstraint):
        code = info.get_aConstraint_op(n)
        if code in (apsw.SQLITE_INDEX_CONSTRAINT_LIMIT, apsw.SQLITE_INDEX_CONSTRAINT_OFFSET):
            number = info.get_aConstraint_rhs(n)
            if isinstance(number, int) and number >= 0:
                limit, offset = (number, offset) if code == apsw.SQLITE_INDEX_CONSTRAINT_LIMIT else (limit, number)
            continue
        column = info.get_aConstraint_iColumn(n)
        if column < 0:
            exact = False
            continue
        declared = table.columns[column]
        # Where a column is never NULL, IS is the same as =.
        operator = OPERATORS.get(_EQUAL if code == _IS and declared.not_null else code)
        if operator is None:
            exact = False
            continue
        value = info.get_aConstraint_rhs(n)
        if isinstance(declared.place, Parameter) and operator is Operator.EQUAL and not info.get_aConstraint_usable(n):
            return False
        several = operator is Operator.EQUAL and info.get_aConstraintUsage_in(n) and pushdown.takes(table, column, Operator.IN)
        wanted = Operator.IN if several else operator
        collation = declared.collation
        if value is not None and declared.type.collation == timestamps.COLLATION and collation == info.get_aConstraint_collation(n):
            comparable(table, declared, value)  # LIKE and GLOB bring text ranges of their own, in other collations
        if isinstance(declared.place, Grouping) and not several and value is None:
            # It may come from another row each time, and would be another report: all groups are asked for, once.
            exact = False
            continue
        if not (
            info.get_aConstraint_usable(n)
            and pushdown.takes(table, column, wanted)
            and (wanted is Operator.NOT_NULL or info.get_aConstraint_collation(n) == collation)
        ):
            exact = False
            continue
        terms.append((column, wanted, value))
        info.set_aConstraintUsage_argvIndex(n, len(terms))
        info.set_aConstraintUsage_omit(n, pushdown.answers_alone(table, column, wanted))
        if several:
            info.set_aConstraintUsage_in(n, True)
        exact = exact and pushdown.is_exact(table, column, wanted)
    columns = used(info, table)
    taken = [(column, operator) for column, operator, _ in terms]
    way = cost.way_for(table, columns, taken, tables)
    order = _order(info, way, terms)
    if info.nOrderBy and order is None:
        exact = False
    estimate = cost.estimate(way, cost.useful(way, taken) if table.others else taken, tables)
    info.orderByConsumed = order is not None
    info.estimatedCost = estimate.cost
    info.estimatedRows = estimate.rows
    if estimate.unique:
        info.idxFlags = apsw.SQLITE_INDEX_SCAN_UNIQUE
    info.idxStr = text(
        Agreement(
            table=name,
            terms=tuple(terms),
            columns=columns,
            order=order,
            limit=limit + offset if limit is not None and exact else None,
            sifted=limit is not None and not exact,
        )
    )
    return True


def used(info: apsw.IndexInfo, table: Table) -> tuple[int, ...]:
    """The columns that will be read; SQLite's mask has 64 bits, and the last one stands for every column from there on."""
    used = set(info.colUsed)
    if _LAST_BIT in used:
        used |= set(range(_LAST_BIT, len(table.columns)))
    return tuple(sorted(used & set(range(len(table.columns)))))


def _order(info: apsw.IndexInfo, table: Table, terms: list[tuple[int, Operator, Any]]) -> tuple[int, bool] | None:
    """The order that the scan can keep, if it is all of what is wanted."""
    if info.nOrderBy != 1:
        return None
    column = info.get_aOrderBy_iColumn(0)
    if column < 0 or not pushdown.sorts(table, column):
        return None
    if table.source.parent and not any(isinstance(table.columns[taken].place, ParentId) for taken, _, _ in terms):
        return None  # the members of one list after another's are in no order
    return column, bool(info.get_aOrderBy_desc(0))
