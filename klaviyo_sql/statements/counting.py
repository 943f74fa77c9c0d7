"""Statements that only count events, made to read the table klaviyo_event_counts instead.

SQLite does not tell a virtual table of count(*) and GROUP BY, so the text says it: `events` becomes the internal table, and the uses of an event
that a count of many answers as well become its hidden columns: the hour or day of the time, bounds of the time, count(*), sum(value).
Everything else stays, so that the internal table sees by the columns that are read whether there is more to it, and then hands out events,
each counted once, for which the same text is as right. The text is edited in place: parameters, comments and quoting stay as they are.

A statement is left alone wherever it is not certain that its answer would be the same.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from klaviyo_sql.statements import tokens
from klaviyo_sql.statements.tokens import Token
from klaviyo_sql.tables.event_counts import BOUND, BUCKET, COUNT, EVENT_COUNTS, SUM
from klaviyo_sql.tables.events import EVENTS
from klaviyo_sql.tables.metrics import METRICS

_EVENT_COLUMNS = frozenset(column.name for column in EVENTS.columns)
_NEVER_NULL = frozenset(column.name for column in EVENTS.columns if column.not_null)
_METRIC_COLUMNS = frozenset(column.name for column in METRICS.columns)
_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_LOWER = {(exp.GT, True), (exp.GTE, True), (exp.LT, False), (exp.LTE, False)}
"""Comparisons that bound the time from below, and whether it is on their left."""
_SIMPLE = (exp.Literal, exp.Placeholder, exp.Paren, exp.Subquery, exp.Cast, exp.Null, exp.Func)
"""What a bound may be: operators in it are read differently by different parsers, unless they are in parentheses."""

# fmt: off
_SCALARS = frozenset((
    "date", "time", "datetime", "strftime", "julianday", "unixepoch", "substr", "substring", "round", "abs", "coalesce", "ifnull", "nullif", "iif", "if",
    "cast", "printf", "format", "upper", "lower", "length", "trim", "ltrim", "rtrim", "replace", "instr", "typeof", "quote", "concat", "concat_ws", "sign",
    "floor", "ceil",
))
"""Functions of one row; any other may be an aggregate, for which one row for many events is not the same."""
_SCALAR_NODES = frozenset((
    "And", "Or", "Case", "If", "Cast", "Coalesce", "Nullif", "Round", "Abs", "Upper", "Lower", "Length", "Trim", "Concat", "Exists", "Substring", "Date",
    "Time", "Datetime", "TimestampTrunc", "TimeToStr", "TsOrDsToTimestamp", "TsOrDsToDate", "StrPosition", "Sign", "Floor", "Ceil", "Replace",
))
# fmt: on
_DAY_MODIFIER = re.compile(r"'\s*(?:start of (?:day|month|year)|weekday [0-6]|[+-]?\d{1,4} (?:day|month|year)s?)\s*'", re.IGNORECASE)
"""Modifiers of SQLite's date functions that leave a day a day, whatever the time was."""
_START_OF = re.compile(r"'\s*start of (?:day|month|year)\s*'", re.IGNORECASE)
_HOURS = frozenset("HIklpP")
_DAYS = frozenset("deFGgjmuUVwWY%")
_ENDS = ("END", "NULL", "ISNULL", "NOTNULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP")
_MIDDLES = ("AND", "OR", "NOT", "IS", "LIKE", "GLOB", "MATCH", "REGEXP", "IN", "BETWEEN", "ESCAPE", "COLLATE", "FROM", "DISTINCT", "WHEN", "THEN", "ELSE")
"""Words that can end an expression, and words after which it goes on."""


class _LeaveAloneError(Exception):
    """The statement is not one of those."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


@functools.lru_cache(maxsize=256)
def counted(sql: str, *, sums: bool) -> str | None:
    """The statement reading counts; None when it is better left alone. `sums` allows sum(value) and total(value)."""
    if any(name in sql.lower() for name in (EVENT_COUNTS.name, BUCKET, BOUND, COUNT, SUM)):
        return None
    found = tokens.read(sql)
    if found is None or not _may_count(found):
        return None
    try:
        statements = [statement for statement in parse(tokens.masked(sql), dialect="sqlite") if statement is not None]
    except (SqlglotError, RecursionError):
        return None
    if len(statements) != 1 or not _answers(statements[0]):
        return None
    text = _Text(sql, found)
    edits: list[_Edit] = []
    for select in statements[0].find_all(exp.Select):
        try:
            edits += _Selection(text, select, sums=sums).edits()
        except _LeaveAloneError:
            continue
    if not edits:
        return None
    edits += text.names({edit.start for edit in edits})
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        sql = sql[: edit.start] + edit.text + sql[edit.end :]
    return sql


def _may_count(found: list[Token]) -> bool:
    """Whether the first words are those of a statement that may be edited; the parser complains aloud of some others."""
    words = [token.text.upper() for token in found[:3]]
    return words[:1] in (["SELECT"], ["WITH"], ["INSERT"], ["REPLACE"]) or (words[:1] == ["CREATE"] and "TABLE" in words)


def _answers(statement: exp.Expr) -> bool:
    """Whether it is a query, or writes what one answers; a view would keep the edited text."""
    if isinstance(statement, exp.Create):
        return statement.args.get("kind") == "TABLE"
    names = {cte.alias.lower() for cte in statement.find_all(exp.CTE)}
    return isinstance(statement, exp.Select | exp.SetOperation | exp.Insert) and "events" not in names


@dataclass(frozen=True, slots=True)
class _Item:
    """One result of a SELECT: its first and its last token."""

    first: int
    last: int


class _Text:
    """The text with its tokens, and where the lists of results of its SELECTs are."""

    def __init__(self, sql: str, found: list[Token]) -> None:
        self.sql = sql
        self.tokens = found
        self.at = {token.start: position for position, token in enumerate(found)}
        self.closing = self._closing()
        self.lists = [self._items(position + 1) for position, token in enumerate(found) if token.is_word("SELECT")]

    def _closing(self) -> dict[int, int]:
        """The closing parenthesis of each opening one, as positions of tokens."""
        opened: list[int] = []
        closing = {}
        for position, token in enumerate(self.tokens):
            if token.text == "(":
                opened.append(position)
            elif token.text == ")" and opened:
                closing[opened.pop()] = position
        return closing

    def _items(self, position: int) -> list[_Item]:
        """The results of the SELECT whose list begins here."""
        if position < len(self.tokens) and self.tokens[position].is_word("DISTINCT", "ALL"):
            position += 1
        items = []
        first = position
        while position < len(self.tokens):
            token = self.tokens[position]
            if token.text == "(":
                position = self.closing.get(position, len(self.tokens))
            elif token.text == ",":
                items.append(_Item(first, position - 1))
                first = position + 1
            elif token.text in (")", ";") or token.is_word("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "WINDOW"):
                break
            position += 1
        return [*items, _Item(first, position - 1)]

    def names(self, changed: set[int]) -> Iterator[_Edit]:
        """What a result is called that has no name of its own, which is its text: where that changes, it gets the old text as its name."""
        places = sorted(self.at[start] for start in changed)
        for item in (item for items in self.lists for item in items):
            if any(item.first <= place <= item.last for place in places) and not self._has_name(item):
                following = self.tokens[item.last + 1].start if item.last + 1 < len(self.tokens) else len(self.sql)
                text = self.sql[self.tokens[item.first].start : following].rstrip().replace('"', '""')
                yield _Edit(self.tokens[item.last].end, self.tokens[item.last].end, f' AS "{text}"')

    def _has_name(self, item: _Item) -> bool:
        """Whether the last token is the name of the result, with or without AS."""
        last, before = self.tokens[item.last], self.tokens[item.last - 1]
        if item.last == item.first or last.kind not in ("word", "quoted", "string"):
            return False
        if before.is_word("AS"):
            return True
        if before.text == "." or last.is_word(*_ENDS) or (before.kind == "operator" and before.text != ")"):
            return False
        return not before.is_word(*_MIDDLES)

    def place(self, node: exp.Expr) -> int:
        """The token that a name or the name of a function is; the parser must mean the same text as the tokens do."""
        start, end = node.meta.get("start"), node.meta.get("end")
        position = self.at.get(start) if start is not None else None
        if position is None or end is None or self.tokens[position].end != end + 1:
            raise _LeaveAloneError
        return position

    def is_text(self, position: int, *texts: str) -> bool:
        """Whether the tokens from here on are these."""
        return [token.text for token in self.tokens[position : position + len(texts)]] == list(texts)


@dataclass(slots=True)
class _Selection:
    """One SELECT and the tables that it reads itself."""

    text: _Text
    select: exp.Select
    sums: bool
    name: str = ""
    """How the events are called in it."""
    tables: dict[str, str] = field(default_factory=dict)
    """The tables of the others, by what they are called; empty where it is no table."""
    interval: str = "day"
    bounds: int = 0
    changes: list[_Edit] = field(default_factory=list)

    def edits(self) -> list[_Edit]:
        """What to change in the text; _LeaveAloneError when the events themselves are to be read."""
        if "events" not in {table.name.lower() for table in self.select.find_all(exp.Table)}:
            raise _LeaveAloneError
        table = self._events()
        own = list(self._own(self.select))
        self._check_functions(own)
        aggregates = [node for node in own if self._is_aggregate(node)]
        if not aggregates:
            raise _LeaveAloneError
        conditions = self._conditions()
        self._bound(conditions)
        if not self._names_a_metric(conditions):
            raise _LeaveAloneError
        for aggregate in aggregates:
            self._aggregate(aggregate)
        for column in own:
            if isinstance(column, exp.Column) and self._is_own(column, "datetime") and not self._is_changed(column):
                self._bucket(column)
        self._check_groups(conditions)
        position = self.text.place(table.this)
        token = self.text.tokens[position]
        alias = "" if table.alias else f" AS {token.text}"
        self.changes.append(_Edit(token.start, token.end, f"{EVENT_COUNTS.name}('{self.interval}', {self.bounds}){alias}"))
        return self.changes

    # Tables

    def _events(self) -> exp.Table:
        """The one place where events are read."""
        select = self.select
        source = select.args.get("from_") or select.args.get("from")
        if source is None or any(select.args.get(name) for name in ("laterals", "windows", "qualify", "sample", "pivots", "connect", "into", "match")):
            raise _LeaveAloneError
        joins = select.args.get("joins") or []
        found = None
        for join in (None, *joins):
            relation = source.this if join is None else join.this
            if join is not None and (
                join.args.get("using") or join.args.get("method") or join.side not in ("", "LEFT") or join.kind not in ("", "INNER", "CROSS")
            ):
                raise _LeaveAloneError
            if isinstance(relation, exp.Table) and isinstance(relation.this, exp.Identifier) and not relation.args.get("joins"):
                name = relation.name.lower()
                if name == "events":
                    plain = not relation.args.get("db") and not any(
                        relation.args.get(key) not in (None, []) for key in ("indexed", "sample", "pivots", "hints", "when")
                    )
                    if found is not None or not plain or (join is not None and join.side):
                        raise _LeaveAloneError
                    found, self.name = relation, relation.alias_or_name.lower()
                    continue
                self.tables[relation.alias_or_name.lower()] = name
            elif isinstance(relation, exp.Subquery) and relation.alias and isinstance(relation.this, exp.Select | exp.SetOperation):
                self.tables[relation.alias.lower()] = ""
            else:
                raise _LeaveAloneError
        if found is None or self.name in self.tables or len(self.tables) != len(joins):
            raise _LeaveAloneError
        return found

    def _own(self, root: exp.Expr) -> Iterator[exp.Expr]:
        """The nodes of the SELECT, without those of the SELECTs in it."""
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node is not self.select and isinstance(node, exp.Select | exp.SetOperation | exp.Values | exp.With):
                continue
            yield node
            waiting += reversed(list(node.iter_expressions()))

    def _is_own(self, column: exp.Column, name: str) -> bool:
        """Whether the column is this one of the events; names of several tables would be ambiguous to SQLite, too."""
        if column.name.lower() != name or column.args.get("db"):
            return False
        return column.table.lower() == self.name if column.table else True

    # Functions

    def _check_functions(self, own: list[exp.Expr]) -> None:
        """That one row for many events is the same to every function but the aggregates that are changed."""
        for node in own:
            if isinstance(node, exp.Window | exp.Filter | exp.WithinGroup | exp.Star) and not (
                isinstance(node, exp.Star) and isinstance(node.parent, exp.Count)
            ):
                raise _LeaveAloneError
        for node in self.select.walk():
            inside = node.parent_select is not self.select
            if inside and isinstance(node, exp.Select) and not (node.args.get("from_") or node.args.get("from")):
                raise _LeaveAloneError  # an aggregate in it could be one of this SELECT
            if not isinstance(node, exp.Func) or (inside and self._is_derived(node)):
                continue
            if isinstance(node, exp.Anonymous):
                known = node.name.lower() in _SCALARS or (not inside and self._is_aggregate(node))
            elif inside and isinstance(node, exp.Count):
                known = isinstance(node.this, exp.Star)
            else:
                known = type(node).__name__ in _SCALAR_NODES or (not inside and self._is_aggregate(node))
            if not known:
                raise _LeaveAloneError

    def _is_derived(self, node: exp.Expr) -> bool:
        """Whether the node is in a table of FROM or WITH, which knows nothing of the events around it."""
        while node is not self.select:
            parent = node.parent
            if parent is None:
                return False
            if isinstance(node, exp.Subquery) and isinstance(parent, exp.From | exp.Join) and parent.this is node and parent.parent is self.select:
                return True
            if isinstance(node, exp.CTE):
                return True
            node = parent
        return False

    def _is_aggregate(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Count | exp.Sum) or (isinstance(node, exp.Anonymous) and node.name.lower() == "total")

    def _aggregate(self, node: exp.Expr) -> None:
        """Change a count or a sum."""
        position = self.text.place(node)
        opening = position + 1
        if not self.text.is_text(opening, "("):
            raise _LeaveAloneError
        closing = self.text.closing.get(opening)
        if closing is None:
            raise _LeaveAloneError
        words = self.text.tokens[opening + 1 : closing]
        if isinstance(node, exp.Count):
            if not self._counts_events(node.this, words):
                raise _LeaveAloneError
            self.changes.append(_Edit(self.text.tokens[position].start, self.text.tokens[closing].end, f"coalesce(sum({COUNT}), 0)"))
            return
        argument = node.this if isinstance(node, exp.Sum) else (node.expressions[0] if len(node.expressions) == 1 else None)
        if not self.sums or not isinstance(argument, exp.Column) or not self._is_own(argument, "value") or len(words) not in (1, 3):
            raise _LeaveAloneError
        self._rename(argument, SUM)

    def _counts_events(self, argument: exp.Expr | None, words: list[Token]) -> bool:
        """Whether count(argument) is count(*)."""
        if isinstance(argument, exp.Star):
            return len(words) == 1
        if isinstance(argument, exp.Literal):
            return len(words) == 1
        if not isinstance(argument, exp.Column) or len(words) not in (1, 3):
            return False
        return any(self._is_own(argument, name) for name in _NEVER_NULL)

    # Conditions

    def _conditions(self) -> list[exp.Expr]:
        """What must be true of every row: WHERE, and ON of inner joins, taken apart at AND."""
        where = self.select.args.get("where")
        waiting = [where.this] if where is not None else []
        waiting += [join.args["on"] for join in self.select.args.get("joins") or [] if join.args.get("on") is not None and not join.side]
        found = []
        while waiting:
            condition = waiting.pop()
            if isinstance(condition, exp.And):
                waiting += [condition.left, condition.right]
            elif isinstance(condition, exp.Paren):
                waiting.append(condition.this)
            elif isinstance(condition, exp.Or) and any(self._owner(node) in (self.name, "") for node in self._own(condition) if isinstance(node, exp.Column)):
                raise _LeaveAloneError  # SQLite may answer each side by a scan of its own, of other rows
            else:
                found.append(condition)
        return found

    def _bound(self, conditions: list[exp.Expr]) -> None:
        """Change the bounds of the time; without a lower one there is nothing to gain."""
        lower = False
        for condition in conditions:
            if isinstance(condition, exp.Between) and self._is_time(condition.this):
                ends = [condition.args["low"], condition.args["high"]]
                time, found, count = condition.this, True, 2
            elif isinstance(condition, _COMPARISONS) and self._is_time(condition.left):
                ends, time, found, count = [condition.right], condition.left, (type(condition), True) in _LOWER, 1
            elif isinstance(condition, _COMPARISONS) and self._is_time(condition.right):
                ends, time, found, count = [condition.left], condition.right, (type(condition), False) in _LOWER, 1
            else:
                continue
            if all(isinstance(end, _SIMPLE) and not any(isinstance(node, exp.Column) for node in self._own(end)) for end in ends):
                self._rename(time, BOUND)
                self.bounds += count
                lower = lower or found
        if not lower:
            raise _LeaveAloneError

    def _is_time(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Column) and self._is_own(node, "datetime")

    def _names_a_metric(self, conditions: list[exp.Expr]) -> bool:
        """Whether the conditions leave few metrics: for all of an account, aggregates are asked for more slowly than events are read."""
        for condition in conditions:
            if isinstance(condition, exp.In) and self._is_metric(condition.this):
                return True
            if not isinstance(condition, exp.EQ):
                continue
            for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
                if not self._is_metric(one):
                    continue
                owner = other.table.lower() if isinstance(other, exp.Column) else ""
                if owner in self.tables:
                    if any(self._is_about(owner, rest) for rest in conditions if rest is not condition):
                        return True
                elif not isinstance(other, exp.Column) or owner:
                    return True
        return False

    def _is_metric(self, node: exp.Expr | None) -> bool:
        return isinstance(node, exp.Column) and self._is_own(node, "metric_id")

    def _is_about(self, table: str, condition: exp.Expr) -> bool:
        """Whether the condition is on that table alone."""
        columns = [node for node in self._own(condition) if isinstance(node, exp.Column)]
        return bool(columns) and all(self._owner(column) == table for column in columns)

    def _owner(self, column: exp.Column) -> str:
        """The table that the column is of, as far as it can be known."""
        name = column.name.lower()
        if column.table:
            return column.table.lower()
        if name in _EVENT_COLUMNS:
            return self.name
        owners = [alias for alias, table in self.tables.items() if table != METRICS.name or name in _METRIC_COLUMNS]
        return owners[0] if len(owners) == 1 else ""

    # The time

    def _bucket(self, column: exp.Column) -> None:
        """Change the time where only its day or hour is used."""
        position = self.text.place(column.this)
        first = position - 2 if column.table else position
        words = self.text.tokens
        for back in (2, 4):
            opening = first - back + 1
            if opening < 1 or not self.text.is_text(opening, "("):
                continue
            closing = self.text.closing.get(opening)
            if closing is None:
                continue
            before, after = words[opening + 1 : first], words[position + 1 : closing]
            interval = _interval(words[opening - 1].name, before, after)
            if interval:
                self.interval = "hour" if "hour" in (interval, self.interval) else "day"
                self._rename(column, BUCKET)
                return
        raise _LeaveAloneError

    def _rename(self, column: exp.Column, name: str) -> None:
        token = self.text.tokens[self.text.place(column.this)]
        self.changes.append(_Edit(token.start, token.end, name))

    def _is_changed(self, column: exp.Column) -> bool:
        start = self.text.tokens[self.text.place(column.this)].start
        return any(edit.start <= start < edit.end for edit in self.changes)

    # Groups

    def _check_groups(self, conditions: list[exp.Expr]) -> None:
        """That no result depends on which row of its group SQLite takes it from, for there are other rows now."""
        group = self.select.args.get("group")
        if group is not None and any(value for key, value in group.args.items() if key != "expressions"):
            raise _LeaveAloneError
        results = self.select.expressions
        aliases = {result.alias.lower(): result.this for result in results if isinstance(result, exp.Alias)}
        groups = set()
        for expression in group.expressions if group is not None else []:
            if isinstance(expression, exp.Literal) and not expression.is_string and expression.name.isdigit():
                number = int(expression.name)
                if not 1 <= number <= len(results):
                    raise _LeaveAloneError
                expression = results[number - 1].unalias()
            elif isinstance(expression, exp.Column) and not expression.table and expression.name.lower() in aliases and not self._owner_is_certain(expression):
                expression = aliases[expression.name.lower()]
            groups.add(self._normal(expression))
        for condition in conditions:
            if isinstance(condition, exp.EQ):
                sides = (condition.left, condition.right)
                for one, other in (sides, sides[::-1]):
                    if self._is_metric(one) and not any(isinstance(node, exp.Column) for node in self._own(other)):
                        groups.add("events.metric_id")
        # The id of a metric that events are joined to is theirs, and its other columns follow from it.
        for condition in conditions:
            if isinstance(condition, exp.EQ):
                pair = {self._normal(condition.left), self._normal(condition.right)}
                ids = {f"{alias}.id" for alias, table in self.tables.items() if table == METRICS.name}
                if "events.metric_id" in pair and pair & ids and pair & groups:
                    groups |= pair
        grouped = {alias for alias, table in self.tables.items() if table == METRICS.name and f"{alias}.id" in groups}
        having, order = self.select.args.get("having"), self.select.args.get("order")
        later = [having] if having is not None else []
        later += list(order.expressions) if order is not None else []
        for root, names in [*((result.unalias(), {}) for result in results), *((node, aliases) for node in later)]:
            if not self._follows(root, groups, grouped, set(names)):
                raise _LeaveAloneError

    def _owner_is_certain(self, column: exp.Column) -> bool:
        """Whether GROUP BY means a column by the name, and not a result: the tables' own come first, and may be any of a table that is not known."""
        name = column.name.lower()
        if name in _EVENT_COLUMNS or any(table == METRICS.name and name in _METRIC_COLUMNS for table in self.tables.values()):
            return True
        if any(table != METRICS.name for table in self.tables.values()):
            raise _LeaveAloneError
        return False

    def _normal(self, expression: exp.Expr) -> str:
        """The expression in one spelling."""
        copy = expression.copy()
        for column in list(copy.find_all(exp.Column)):
            owner = self._owner(column)
            owner = "events" if owner == self.name else owner
            named = exp.column(column.name.lower(), table=owner or None)
            if column is copy:
                copy = named
            else:
                column.replace(named)
        return copy.sql(dialect="sqlite", comments=False)

    def _follows(self, node: exp.Expr, groups: set[str], grouped: set[str], aliases: set[str]) -> bool:
        """Whether the node's value is the same for all rows of a group."""
        if self._is_aggregate(node) or isinstance(node, exp.Subquery | exp.Select):
            return True
        if isinstance(node, exp.Column):
            owner = self._owner(node)
            if (not node.table and node.name.lower() in aliases) or owner in grouped:
                return True
            return self._normal(node) in groups
        if isinstance(node, exp.Func | exp.Binary | exp.Paren) and self._normal(node) in groups:
            return True
        return all(self._follows(child, groups, grouped, aliases) for child in node.iter_expressions())


def _interval(function: str, before: list[Token], after: list[Token]) -> str | None:
    """`day` or `hour` when the function of the time, with these tokens around the time, is the same for all times in one; None when it is not."""
    if function in ("date", "datetime") and not before:
        modifiers = _arguments(after)
        fits = modifiers is not None and all(token.kind == "string" and _DAY_MODIFIER.fullmatch(token.text) for token in modifiers)
        # datetime() shows the time as well, unless it is cut off at some point.
        shows_a_day = function == "date" or any(_START_OF.fullmatch(token.text) for token in modifiers or ())
        return "day" if fits and shows_a_day else None
    if function in ("substr", "substring") and not before:
        arguments = _arguments(after)
        if arguments is None or [token.kind for token in arguments] != ["number", "number"] or arguments[0].text != "1" or not arguments[1].text.isdigit():
            return None
        length = int(arguments[1].text)
        return "day" if 1 <= length <= 10 else "hour" if length <= 13 else None
    if function == "strftime" and [token.kind for token in before] == ["string", "operator"] and before[1].text == ",":
        modifiers = _arguments(after)
        if modifiers is None or not all(token.kind == "string" and _DAY_MODIFIER.fullmatch(token.text) for token in modifiers):
            return None
        letters = set(re.findall(r"%(.?)", before[0].text[1:-1], re.DOTALL))
        return "day" if letters <= _DAYS else "hour" if letters <= _DAYS | _HOURS else None
    return None


def _arguments(found: list[Token]) -> list[Token] | None:
    """The arguments behind the first, when each is one token."""
    if any(token.text != "," for token in found[::2]) or len(found) % 2:
        return None
    return found[1::2]
