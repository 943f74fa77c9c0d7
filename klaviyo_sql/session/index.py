"""What SQLite and a virtual table agree on before a scan: which terms are handed over, which order and how many rows are wanted.

The agreement travels from xBestIndex to xFilter as JSON text, which EXPLAIN QUERY PLAN shows as well.
"""

from __future__ import annotations

import functools
from collections.abc import Collection as Names
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Collection, CountedCollection, Grouping, Id, Parameter, ParentId, Related, Table
from klaviyo_sql.plan import cost, pushdown
from klaviyo_sql.plan.constraints import Constraint, Operator, Unknown, comparable
from klaviyo_sql.plan.scan import Order

_LAST_BIT = 63

# SQLite's numbers, which its file format and its interface promise to keep.
EQUAL, GREATER, LESS_OR_EQUAL, LESS, GREATER_OR_EQUAL = 2, 4, 8, 16, 32
IS_NOT_NULL, IS = 70, 72
LIMIT, OFFSET = LIMITS = (73, 74)
SCAN_UNIQUE = 1

OPERATORS: dict[int, Operator] = {
    EQUAL: Operator.EQUAL,
    GREATER: Operator.GREATER,
    GREATER_OR_EQUAL: Operator.GREATER_OR_EQUAL,
    LESS: Operator.LESS,
    LESS_OR_EQUAL: Operator.LESS_OR_EQUAL,
    IS_NOT_NULL: Operator.NOT_NULL,
}


class IndexInfo(Protocol):
    """SQLite's index information as apsw shows it, whose documentation tells what each part means."""

    orderByConsumed: bool  # noqa: N815
    estimatedCost: float  # noqa: N815
    estimatedRows: int  # noqa: N815
    idxFlags: int  # noqa: N815
    idxStr: str | None  # noqa: N815

    @property
    def nConstraint(self) -> int: ...  # noqa: N802

    @property
    def nOrderBy(self) -> int: ...  # noqa: N802

    @property
    def colUsed(self) -> set[int]: ...  # noqa: N802

    def get_aConstraint_op(self, which: int) -> int: ...  # noqa: N802

    def get_aConstraint_iColumn(self, which: int) -> int: ...  # noqa: N802

    def get_aConstraint_usable(self, which: int) -> bool: ...  # noqa: N802

    def get_aConstraint_collation(self, which: int) -> str: ...  # noqa: N802

    def get_aConstraint_rhs(self, which: int) -> Any: ...  # noqa: N802

    def get_aConstraintUsage_in(self, which: int) -> bool: ...  # noqa: N802

    def set_aConstraintUsage_in(self, which: int, filter_all: bool) -> None: ...  # noqa: N802

    def set_aConstraintUsage_argvIndex(self, which: int, argvIndex: int) -> None: ...  # noqa: N802, N803

    def set_aConstraintUsage_omit(self, which: int, omit: bool) -> None: ...  # noqa: N802

    def get_aOrderBy_iColumn(self, which: int) -> int: ...  # noqa: N802

    def get_aOrderBy_desc(self, which: int) -> bool: ...  # noqa: N802


class Agreement(msgspec.Struct, frozen=True, omit_defaults=True):
    """The table, terms as (column, operator, value if it is a literal), the columns that are read, the order to keep, and the rows that are enough."""

    table: str
    terms: tuple[tuple[int, Operator, Any], ...]
    columns: tuple[int, ...]
    order: tuple[int, bool] | None = None
    limit: int | None = None
    copied: bool = False
    """Whether the rows are those of the local copy."""
    presumed_rows: bool = False
    """Whether the rows are the ones that the terms name by their keys, and nobody asks whether they are there."""
    updates: bool = False
    """Whether the scan is certainly for an UPDATE of the table, or a DELETE, where SQLite does not tell what else it needs."""
    names_rows: bool = False
    """Whether the terms name rows by their whole key, and nothing else is asked: they need not be read where the statement looks at nothing else of them."""
    sifted: bool = False
    """Whether a LIMIT ends the scan at a row that nobody knows, because SQLite drops some that come before."""
    fixed: tuple[int, ...] | None = None
    """The columns that are the same in all rows, where SQLite may read no others, as when it only counts; None where it certainly reads some."""

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


@functools.lru_cache(maxsize=1024)
def presuming(agreed: str) -> str:
    """The agreement on rows that the terms name, without asking whether they are there."""
    agreement = read(agreed)
    key = tuple(sorted({column for column, _, _ in agreement.terms}))
    return text(Agreement(agreement.table, agreement.terms, key, presumed_rows=True))


@dataclass(frozen=True, slots=True)
class Needed:
    """What a statement that changes rows reads of them: the columns, those of the key among them, and whether rows named by the key need not be read."""

    columns: tuple[int, ...]
    key: frozenset[int]
    presumable: bool

    @property
    def presumes(self) -> bool:
        """Whether rows that are named by their key are taken to be there."""
        return self.presumable and set(self.columns) == self.key


def agree(
    info: IndexInfo,
    table: Table,
    tables: dict[str, Table],
    name: str,
    *,
    target: Needed | None = None,
    row_key: int | None = None,
    reads: Names[str] | None = None,
    keyed: bool = False,
) -> bool:
    """Fill in SQLite's index information for one way to scan the table; `name` tells it from all others of the connection.

    LIMIT is never taken over: SQLite counts, and stops asking for rows. Its value only sizes the first page, and only when Klaviyo's own
    answer has no row too many. DataError when a time column is compared with a literal that is no time.

    `keyed`: a statement that nothing else is known of may change the rows, so that their key is read as well.

    False when this way is impossible: an argument of a question would only be known afterwards.
    """
    if target is not None and target.presumes and _presume(info, target, name):
        return True
    terms: list[tuple[int, Operator, Any]] = []
    exact = True
    limit: int | None = None
    offset = 0
    limited = False
    for n in range(info.nConstraint):
        code = info.get_aConstraint_op(n)
        if code in LIMITS:
            limited = True  # SQLite says so of a query whose rows are shown, not of one that counts them
            number = info.get_aConstraint_rhs(n)
            if isinstance(number, int) and number >= 0:
                limit, offset = (number, offset) if code == LIMIT else (limit, number)
            continue
        column = info.get_aConstraint_iColumn(n)
        if column < 0 or column == row_key:
            exact = False
            continue
        declared = table.columns[column]
        # Where a column is never NULL, IS is the same as =.
        operator = OPERATORS.get(EQUAL if code == IS and declared.not_null else code)
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
    columns = used(info, table, row_key, reads) if target is None else target.columns
    if keyed and table.writes is not None:
        columns = tuple(sorted({*columns, *map(table.index, table.key)}))
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
        info.idxFlags = SCAN_UNIQUE
    info.idxStr = text(
        Agreement(
            table=name,
            terms=tuple(terms),
            columns=columns,
            order=order,
            limit=limit + offset if limit is not None and exact else None,
            updates=keyed and _updates(info, table, row_key),
            names_rows=keyed and table.writes is not None and _names_rows(info, table, terms),
            sifted=limit is not None and not exact,
            fixed=None if limited else _fixed(way, terms, columns),
        )
    )
    return True


def _fixed(way: Table, terms: list[tuple[int, Operator, Any]], columns: tuple[int, ...]) -> tuple[int, ...] | None:
    """The columns that the terms give the same value in every row, if they and times in ranges are all that SQLite says that it uses.

    It says so of the key as well, always, and of a range that it need not look at again: whether it reads these shows when it does.
    """
    if (
        not isinstance(way.source, Collection)
        or isinstance(way.source, CountedCollection)
        or any(isinstance(way.columns[column].place, Id) for column, _, _ in terms)
    ):
        return None
    fixed, ranged = set(), set(map(way.index, way.key))
    for column, operator, _ in terms:
        declared = way.columns[column]
        if operator is Operator.EQUAL and isinstance(declared.place, Related | ParentId) and pushdown.is_exact(way, column, operator):
            fixed.add(column)
        elif declared.type.is_instant:
            ranged.add(column)
    return tuple(sorted(fixed.intersection(columns))) if fixed | ranged >= set(columns) else None


def _presume(info: IndexInfo, target: Needed, name: str) -> bool:
    """Agree on rows that the terms name by their whole key, if they do, and by nothing else."""
    terms: list[tuple[int, Operator, Any]] = []
    several = []
    for n in range(info.nConstraint):
        column = info.get_aConstraint_iColumn(n)
        if info.get_aConstraint_op(n) not in (EQUAL, IS) or column not in target.key or not info.get_aConstraint_usable(n):
            return False
        if info.get_aConstraint_collation(n) != "BINARY":
            return False
        if info.get_aConstraintUsage_in(n):
            several.append(n)
        terms.append((column, Operator.IN if n in several else Operator.EQUAL, info.get_aConstraint_rhs(n)))
    if {column for column, _, _ in terms} != target.key:
        return False
    for n in range(info.nConstraint):
        info.set_aConstraintUsage_argvIndex(n, n + 1)
        if n in several:
            info.set_aConstraintUsage_in(n, True)
    info.estimatedCost = info.estimatedRows = 1
    info.idxStr = text(Agreement(name, tuple(terms), target.columns, presumed_rows=True))
    return True


def _names_rows(info: IndexInfo, table: Table, terms: list[tuple[int, Operator, Any]]) -> bool:
    """Whether these are all terms, and they name rows by their whole key."""
    return (
        len(terms) == info.nConstraint
        and {column for column, _, _ in terms} == set(map(table.index, table.key))
        and all(operator in (Operator.EQUAL, Operator.IN) for _, operator, _ in terms)
        and all(info.get_aConstraint_collation(n) == "BINARY" for n in range(info.nConstraint))
    )


def _updates(info: IndexInfo, table: Table, row_key: int | None) -> bool:
    """Whether every bit of SQLite's mask is set though the table has fewer columns: it does so for the target of an UPDATE, and nowhere else."""
    return len(table.columns) + (row_key is not None) < _LAST_BIT and len(info.colUsed) > _LAST_BIT


def used(info: IndexInfo, table: Table, row_key: int | None = None, reads: Names[str] | None = None) -> tuple[int, ...]:
    """The columns that will be read; SQLite's mask has 64 bits, and the last one stands for every column from there on.

    With a column `row_key` the key is read as well: SQLite tells rows apart by it. Where that column is behind the last bit, `reads` are the names of those
    that are read, in lower case; None where nobody tells.
    """
    used = set(info.colUsed)
    if row_key is not None:
        used |= set(map(table.index, table.key))
        if row_key >= _LAST_BIT and _LAST_BIT in used and reads is not None:
            used -= {_LAST_BIT}
            used |= {position for position, column in enumerate(table.columns) if position >= _LAST_BIT and column.name.lower() in reads}
            return tuple(sorted(used))
    if _LAST_BIT in used:
        used |= set(range(_LAST_BIT, len(table.columns)))
    return tuple(sorted(used & set(range(len(table.columns)))))


def _order(info: IndexInfo, table: Table, terms: list[tuple[int, Operator, Any]]) -> tuple[int, bool] | None:
    """The order that the scan can keep, if it is all of what is wanted."""
    if info.nOrderBy != 1:
        return None
    column = info.get_aOrderBy_iColumn(0)
    if column < 0 or not pushdown.sorts(table, column):
        return None
    if table.source.parent and not any(isinstance(table.columns[taken].place, ParentId) for taken, _, _ in terms):
        return None  # the members of one list after another's are in no order
    return column, bool(info.get_aOrderBy_desc(0))
