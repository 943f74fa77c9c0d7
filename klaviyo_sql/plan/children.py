"""Tables whose rows are listed by their parents: of parents that are named, or of all that there are, which are read first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from klaviyo_sql.model.table import FromParent, Table
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.chains import Chain, Plan, Row
from klaviyo_sql.plan.constraints import Constraint, Operator, Unknown, Wanted
from klaviyo_sql.plan.scan import Scan


def of_children(
    plan: Plan,
    scan: Scan,
    wanted: dict[int, Wanted],
    tables: dict[str, Table],
    of_parents: Callable[[Scan], Plan],
    chains_of: Callable[[Sequence[Row]], tuple[Chain, ...]],
    used: Iterable[int] = (),
) -> Plan:
    """The plan with the chains of the parents that are asked for, or with the reading of the parents first.

    `used` are the columns that rows must have: some may be columns of the parent.
    """
    table, source = scan.table, scan.table.source
    assert source.parent is not None  # noqa: S101 - only called for tables with a parent
    by_filter = source.parent.filter is not None
    known = wanted.get(table.index_of_parent)
    ids = known.values if known is not None and not by_filter else None
    carried = tuple(
        dict.fromkeys(column.place.column for n, column in enumerate(table.columns) if isinstance(column.place, FromParent) and (n in used or n in wanted))
    )
    if ids is not None and not carried:
        return replace(plan, chains=tuple(itertools.chain.from_iterable(chains_of(((parent,),)) for parent in ids if can_be_an_id(parent))))
    parent = tables[source.parent.table]
    columns = tuple(parent.index(name) for name in ("id", *carried))
    constraints = [] if ids is None else [Constraint(columns[0], Operator.IN, ids)]
    for constraint in scan.constraints:
        place = table.columns[constraint.column].place
        if isinstance(place, FromParent):
            constraints.append(replace(constraint, column=parent.index(place.column)))
    if by_filter and known is not None:
        constraints = []
    parents = of_parents(Scan(parent, columns, tuple(constraints), cut=scan.cut, fresh=scan.fresh))
    if parents.nothing:
        return replace(plan, nothing=parents.nothing)
    at_once = filters.MOST_VALUES if by_filter else 1
    return replace(plan, parents=parents, chains_of=chains_of, at_once=at_once, order=None)


def can_be_an_id(value: object) -> bool:
    """Whether the value can stand in a path: a path with an empty or a dotted segment is another path, and asks for something else."""
    return isinstance(value, Unknown) or bool(str(value).strip("."))
