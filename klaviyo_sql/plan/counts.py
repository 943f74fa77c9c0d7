"""Counts without the rows: whether Klaviyo tells how many there are, decided with the values of one run.

Of members of a list or a segment, a column of that tells it; of events metric aggregates do, as long as they give the same answer. Days and hours are those
of UTC, in which SQL sees times. A range that does not begin and end with one of them, or that reaches back further than Klaviyo aggregates, is answered with
the events themselves, each counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from klaviyo_sql import contract
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Collection, CountedCollection, MetricCount, ParentCount, ParentId, Related, Table
from klaviyo_sql.plan import periods, planning
from klaviyo_sql.plan.chains import Chain, Counted, Plan
from klaviyo_sql.plan.constraints import Bound, Constraint, Operator, Unknown, combine
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.tables.event_counts import BOUND, BOUNDS, BUCKET, COUNT, EVENT_COUNTS, INTERVAL, KEY, SUM
from klaviyo_sql.tables.events import EVENTS

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_KEPT = timedelta(days=5 * 365)
"""How far back Klaviyo aggregates: five years, and nobody says how leap days count."""
_ONE_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = frozenset({Operator.GREATER, Operator.GREATER_OR_EQUAL, Operator.LESS, Operator.LESS_OR_EQUAL})


class _EventsAreReadError(Exception):
    """Why the events have to be read."""


def plan(scan: Scan, tables: dict[str, Table], now: datetime) -> Plan:
    """The plan of a scan of the counts; DataError when the time is compared with a text that is none."""
    return _Planning(scan, tables, now).plan()


def total(scan: Scan, tables: dict[str, Table]) -> Scan | None:
    """The scan whose rows, added up, are how many rows this one has; None when only its rows can tell."""
    source = scan.table.source
    if not isinstance(source, Collection) or isinstance(source, CountedCollection) or source.each or source.distinct or source.of_metrics:
        return None
    if isinstance(source.count, ParentCount):
        return _total_of_parent(scan, source.count, tables)
    return _total_of_metric(scan, source.count) if isinstance(source.count, MetricCount) else None


def _total_of_parent(scan: Scan, count: ParentCount, tables: dict[str, Table]) -> Scan | None:
    """The parent's column, when nothing is asked of the rows but whose they are."""
    if len(scan.constraints) != 1:
        return None
    (term,) = scan.constraints
    parent = scan.table.source.parent
    if parent is None or term.operator is not Operator.EQUAL or not isinstance(scan.table.columns[term.column].place, ParentId):
        return None
    table = tables[parent.table]
    return Scan(table, (table.index(count.column),), (replace(term, column=table.index("id")),))


def _total_of_metric(scan: Scan, count: MetricCount) -> Scan | None:
    """The counts of events under the same conditions, when these are on the metric and the time alone."""
    positions = {column.name: position for position, column in enumerate(EVENT_COUNTS.columns)}
    terms, bounds = [], 0
    for term in scan.constraints:
        column = scan.table.columns[term.column]
        if isinstance(column.place, Related) and column.place.relation == count.metric:
            terms.append(replace(term, column=positions["metric_id"]))
        elif column.type.is_instant and any(filter_.field == count.time for filter_ in column.filters):
            terms.append(replace(term, column=positions[BOUND]))
            bounds += 1
        else:
            return None
    given = {INTERVAL: "day", BOUNDS: bounds}
    arguments = (Constraint(positions[name], Operator.EQUAL, value) for name, value in given.items())
    return Scan(EVENT_COUNTS, (positions[COUNT],), (*terms, *arguments))


class _Planning:
    """The planning of one scan."""

    def __init__(self, scan: Scan, tables: dict[str, Table], now: datetime) -> None:
        table = scan.table
        assert isinstance(table.source, CountedCollection)  # noqa: S101 - the engine asks only then
        self._source = table.source
        self._scan = scan
        self._tables = tables
        self._now = now
        self._positions = {column.name: position for position, column in enumerate(table.columns)}
        self._given = {name: self._argument(name) for name in (INTERVAL, BOUNDS)}
        arguments = {self._positions[name] for name in (INTERVAL, BOUNDS)}
        bound, time = self._positions[BOUND], self._positions["datetime"]
        self._constraints = tuple(
            replace(constraint, column=time) if constraint.column == bound else constraint
            for constraint in scan.constraints
            if constraint.column not in arguments
        )

    def plan(self) -> Plan:
        events = self._events(self._constraints)
        if events.nothing:
            return events
        try:
            chains = tuple(self._chains())
        except _EventsAreReadError as reason:
            return replace(events, note=f"the events are read, because {reason}")
        return replace(events, chains=chains, note="events are counted by Klaviyo (metric aggregates)")

    def _argument(self, name: str) -> object:
        position = self._positions[name]
        return next((c.value for c in self._scan.constraints if c.column == position and c.operator is Operator.EQUAL), None)

    def _events(self, constraints: tuple[Constraint, ...]) -> Plan:
        """The plan that reads the events themselves, each counted once."""
        table = replace(self._scan.table, name=EVENTS.name, source=EVENTS.source)
        plan = planning.plan(replace(self._scan, table=table, constraints=constraints), self._tables, _nobody_asks)
        constants = {self._positions[COUNT]: 1, **{self._positions[name]: value for name, value in self._given.items()}}
        chains = tuple(
            replace(chain, constants=tuple(constants.get(column, known) for column, known in zip(chain.columns, chain.constants, strict=True)))
            for chain in plan.chains
        )
        return replace(plan, chains=chains)

    def _chains(self) -> Iterator[Chain]:
        """A chain for each metric and year, and one for what may lie in the future."""
        metrics, low, high = self._wanted()
        interval = self._interval(low, high)
        step = _STEPS[interval]
        # What happens later than now has been sent by a clock that is wrong; it is counted all the same, but not by an aggregate.
        future = self._now - (self._now - _EPOCH) % step + step
        if low >= future:
            raise _EventsAreReadError("the range begins in the future")
        end = future if high is None else min(high, future)
        for metric in metrics:
            start = low
            while start < end:
                until = min(end, start + periods.LONGEST)
                yield from (self._counted(chain, str(metric), interval, start, until) for chain in self._between(metric, start, until))
                start = until
            if high is None or high > end:
                yield from self._between(metric, end, high)

    def _wanted(self) -> tuple[tuple[object, ...], datetime, datetime | None]:
        """The metrics, the first instant, and the one after the last, in whole seconds as event times are."""
        counted = {self._positions[name] for name in (INTERVAL, BOUNDS, BUCKET, BOUND, COUNT, SUM, KEY, "metric_id")}
        others = {constraint.column for constraint in self._scan.constraints} | set(self._scan.columns)
        if others - counted:
            names = ", ".join(self._scan.table.columns[position].name for position in sorted(others - counted))
            raise _EventsAreReadError(f"more of them is used: {names}")
        bounds = [constraint for constraint in self._scan.constraints if constraint.column == self._positions[BOUND]]
        if self._given[BOUNDS] != len(bounds) or any(bound.operator not in _RANGE for bound in bounds) or self._scan.order or self._scan.limit:
            raise _EventsAreReadError("a condition on the time is known to SQLite alone")
        wanted = combine(replace(self._scan.table, name=EVENTS.name), self._constraints)
        metrics = wanted[self._positions["metric_id"]].values if self._positions["metric_id"] in wanted else None
        if metrics is None:
            raise _EventsAreReadError("no metric is named")
        time = wanted.get(self._positions["datetime"])
        low, high = (time.low, time.high) if time else (None, None)
        if low is None or any(bound is not None and isinstance(bound.value, Unknown) for bound in (low, high)):
            raise _EventsAreReadError("it is not known where the range begins and ends" if low else "the range has no beginning")
        try:
            start, end = _first_second(low), None if high is None else _second_after(high)
        except OverflowError:
            raise _EventsAreReadError("the range ends with the calendar") from None
        if start < self._now - _KEPT:
            raise _EventsAreReadError("the range begins more than five years ago")
        return metrics, start, end

    def _interval(self, low: datetime, high: datetime | None) -> str:
        """The longest buckets that begin and end with the range."""
        finest = self._given[INTERVAL]
        for interval in ("day", "hour") if finest == "day" else ("hour",):
            if not any((bound - _EPOCH) % _STEPS[interval] for bound in (low, high) if bound is not None):
                return interval
        raise _EventsAreReadError("the range does not begin and end with an hour of UTC")

    def _between(self, metric: object, start: datetime, end: datetime | None) -> tuple[Chain, ...]:
        """The events of one metric from one instant to another."""
        time = self._positions["datetime"]
        terms = [Constraint(self._positions["metric_id"], Operator.EQUAL, metric), Constraint(time, Operator.GREATER_OR_EQUAL, timestamps.to_sql(start))]
        if end is not None:
            terms.append(Constraint(time, Operator.LESS, timestamps.to_sql(end)))
        return self._events(tuple(terms)).chains

    def _counted(self, chain: Chain, metric: str, interval: str, start: datetime, end: datetime) -> Chain:
        names = {"id": "key", "metric_id": "metric", "datetime": "start", BUCKET: "start", BOUND: "start", COUNT: "count", SUM: "sum_value", KEY: "key"}
        row = tuple(names.get(self._scan.table.columns[column].name) for column in chain.columns)
        measurements = tuple(name for name in ("count", "sum_value") if name == "count" or name in row)
        operation = contract.operation(self._source.operation)
        body = periods.body_between(metric, interval, start, end, "UTC", measurements)
        request = Request(self._source.operation, operation.method, operation.path, body=body, table=EVENTS.name)
        return replace(chain, counted=Counted(request, metric, interval, start, end, row))


def _first_second(low: Bound) -> datetime:
    """The first whole second that the lower end leaves."""
    instant: datetime = low.value
    return timestamps.ceiling(instant) if low.inclusive else timestamps.floor(instant) + _ONE_SECOND


def _second_after(high: Bound) -> datetime:
    """The whole second after the last that the upper end leaves."""
    instant: datetime = high.value
    return timestamps.floor(instant) + _ONE_SECOND if high.inclusive else timestamps.ceiling(instant)


def _nobody_asks() -> NoReturn:
    raise AssertionError("events need no time zone")
