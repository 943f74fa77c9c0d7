"""CALL, EXEC and EXECUTE, which SQLite does not know: they become a SELECT from the function that returns the procedure's table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from klaviyo_sql.errors import ProgrammingError
from klaviyo_sql.model.procedure import Procedure
from klaviyo_sql.procedures import find, nearest
from klaviyo_sql.statements import tokens
from klaviyo_sql.statements.tokens import Token
from klaviyo_sql.write.calls import hidden_name, usage

_CALLS = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*(?:CALL|EXEC|EXECUTE)\b", re.IGNORECASE | re.DOTALL)
MOST_IN_ORDER = 16
"""SQLite looks again at what a table says of its values behind the sixteenth, and takes NULL to be equal to nothing."""

_MENTIONS = re.compile(r"(?:\A|;)(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:CALL|EXEC|EXECUTE)\b", re.IGNORECASE | re.DOTALL)


def is_call(sql: str) -> bool:
    """Whether the text begins with a call."""
    return bool(_CALLS.match(sql))


def mentions_call(sql: str) -> bool:
    """Whether one of the statements of the text may be a call."""
    return bool(_MENTIONS.search(sql))


def end(sql: str) -> int:
    """The position behind the first statement of a text that begins with a call."""
    began = False
    for token in tokens.read(sql) or ():
        if token.text == ";" and token.kind == "operator":
            if began:
                return token.end
        else:
            began = True
    return len(sql)


def rewritten(sql: str) -> str:
    """The statement as SQLite is to read it: a call as a SELECT, all others as they are.

    ProgrammingError for a procedure or an input that there is not, and for inputs that are missing or given twice.
    """
    if not is_call(sql):
        return sql
    found = tokens.read(sql[: end(sql)])
    if found is None:
        raise ProgrammingError("The call has a sign in it that SQL does not have, or a text that does not end. Write it as CALL name(value, name => value).")
    call = _Call(sql, [token for token in found if token.text != ";"])
    rest = sql[end(sql) :]
    return f"{call.select()};{rest}" if rest.strip() else call.select()


@dataclass(frozen=True, slots=True)
class _Argument:
    """A value of a call: the name that it is given by, if it is, and its tokens."""

    name: str | None
    tokens: tuple[Token, ...]


class _Call:
    """One call, as tokens."""

    def __init__(self, sql: str, found: list[Token]) -> None:
        self._sql = sql
        self._verb = found[0].text.upper()
        rest = found[1:]
        if rest and rest[0].is_word("PROCEDURE", "PROC") and len(rest) > 1 and rest[1].kind in ("word", "quoted"):
            rest = rest[1:]
        if not rest or rest[0].kind not in ("word", "quoted"):
            raise ProgrammingError(f"{self._verb} needs the name of a procedure: {self._verb} suppress_profiles('ada@example.com').")
        name, rest = rest[0], rest[1:]
        if len(rest) > 1 and rest[0].text == ".":
            if name.name not in ("main", "skyvia"):
                raise ProgrammingError(f"A procedure is called on the connection's own account: open one with account={name.name!r}. Nothing was sent.")
            name, rest = rest[1], rest[2:]
        self._procedure = _known(name)
        if rest and rest[0].text == "(" and _closing(rest) == len(rest) - 1:
            rest = rest[1:-1]
        elif rest and self._verb == "CALL":
            raise ProgrammingError(f"The values of a call stand in parentheses. {usage(self._procedure)} Nothing was sent.")
        self._arguments = [self._argument(part) for part in _parts(rest)] if rest else []
        values = {token.start for argument in self._arguments for token in argument.tokens}
        self._numbers = _numbers(token for token in found if token.start in values)

    def select(self) -> str:
        """The SELECT that makes the call."""
        procedure = self._procedure
        inputs = procedure.all_inputs
        given: dict[str, str] = {}
        named = False
        for place, argument in enumerate(self._arguments):
            if argument.name is None:
                if named:
                    raise ProgrammingError(f"{procedure.name}: values without a name come before those with one. {usage(procedure)} Nothing was sent.")
                if place >= len(inputs):
                    count = len(self._arguments)
                    raise ProgrammingError(
                        f"{procedure.name} takes at most {len(inputs)} value{'s' if len(inputs) > 1 else ''}, and {count} were given. {usage(procedure)} "
                        "Nothing was sent."
                    )
                known = inputs[place]
            else:
                named = True
                found = procedure.input(argument.name)
                if found is None:
                    raise ProgrammingError(f"{procedure.name} has no input {argument.name}. {usage(procedure)} Nothing was sent.")
                known = found
            if known.name in given:
                raise ProgrammingError(f"{procedure.name}: {known.name} is given twice. {usage(procedure)} Nothing was sent.")
            given[known.name] = self._text(argument.tokens)
        missing = [known.name for known in procedure.inputs if known.required and known.name not in given]
        if missing:
            raise ProgrammingError(f"{procedure.name} needs {' and '.join(missing)}. {usage(procedure)} Nothing was sent.")
        last = max((place for place, known in enumerate(inputs) if known.name in given), default=-1)
        if last < MOST_IN_ORDER:
            values = ", ".join(given.get(known.name, "NULL") for known in inputs[: last + 1])
            return f"SELECT * FROM {procedure.name}({values})"  # noqa: S608 - the user's own expressions
        # The plus keeps SQLite from reading IS TRUE and IS NULL, which it would work out by itself.
        terms = [f'"{hidden_name(procedure, known)}" IS +({given[known.name]})' for known in inputs if known.name in given]
        return f"SELECT * FROM {procedure.name} WHERE {' AND '.join(terms)}"  # noqa: S608

    def _argument(self, part: list[Token]) -> _Argument:
        """A value, with `name =>` or `name :=` before it; after EXEC also `name =` and `@name =`."""
        if not part:
            raise ProgrammingError(f"{self._procedure.name}: a value is missing between commas. {usage(self._procedure)} Nothing was sent.")
        first, second, third = (*part, None, None)[:3]
        if first is not None and second is not None and first.kind in ("word", "quoted", "parameter"):
            arrow = third is not None and second.end == third.start and second.text + third.text in ("=>", ":=")
            if arrow:
                return _Argument(first.name.lstrip("@:$"), self._value(first, part[3:]))
            if self._verb != "CALL" and second.text == "=" and first.text[:1] not in (":", "?", "$"):
                return _Argument(first.name.lstrip("@"), self._value(first, part[2:]))
        return _Argument(None, tuple(part))

    def _value(self, name: Token, part: list[Token]) -> tuple[Token, ...]:
        if not part:
            raise ProgrammingError(f"{self._procedure.name}: {name.text} is given no value. {usage(self._procedure)} Nothing was sent.")
        return tuple(part)

    def _text(self, part: tuple[Token, ...]) -> str:
        """The expression as it is written, with every `?` numbered: the values may stand in another order now."""
        pieces = []
        at = part[0].start
        for token in part:
            if token.kind == "parameter" and token.text == "?":
                pieces += [self._sql[at : token.start], f"?{self._numbers[token.start]}"]
                at = token.end
        return "".join((*pieces, self._sql[at : part[-1].end]))


def _known(name: Token) -> Procedure:
    written = name.text if name.kind == "word" else name.name
    found = find(written)
    if found is None:
        near = nearest(written)
        hint = f" Did you mean {near}?" if near else ""
        raise ProgrammingError(f"There is no procedure {written}.{hint} The table klaviyo_procedures lists them all.")
    return found


def _closing(part: list[Token]) -> int:
    """The place of the parenthesis that closes the first one."""
    depth = 0
    for place, token in enumerate(part):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "operator" else 0
        if depth == 0:
            return place
    return -1


def _parts(part: list[Token]) -> list[list[Token]]:
    """The tokens between the commas that are not in parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in part:
        if token.kind == "operator":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    if depth != 0:
        raise ProgrammingError("The parentheses of the call do not match. Write it as CALL name(value, name => value). Nothing was sent.")
    return parts


def _numbers(found: Iterable[Token]) -> dict[int, int]:
    """Which value each `?` stands for, by its position: one more than the highest before it."""
    numbers: dict[int, int] = {}
    names: set[str] = set()
    highest = 0
    for token in found:
        if token.kind != "parameter":
            continue
        if token.text == "?":
            highest += 1
            numbers[token.start] = highest
        elif token.text[1:].isdigit():
            highest = max(highest, int(token.text[1:]))
        elif token.text not in names:
            names.add(token.text)
            highest += 1
    return numbers
