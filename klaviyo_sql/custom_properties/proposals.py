"""Columns for the custom properties that are met in a sample: names, types, and how often they have a value."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from klaviyo_sql.custom_properties.columns import Declared, quoted, written
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Type

_DEEPEST = 4
"""Keys inside one another that are looked at; what is below is JSON text in its column."""
_EXAMPLES = 3
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A column, the number of sampled rows that have a value for it and of all, and its most frequent values as JSON."""

    column: Declared
    filled: int
    sampled: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    types: Counter[str] = field(default_factory=Counter)
    examples: Counter[str] = field(default_factory=Counter)


def proposals(sample: Iterable[Mapping[str, Any]], taken: Iterable[str], known: Iterable[Path] = ()) -> list[Proposal]:
    """A column for each property in the sample, in the order of their paths.

    `taken` are names that are columns already, `known` paths that have a column.
    """
    seen: dict[Path, _Seen] = {}
    count = 0
    for properties in sample:
        count += 1
        _look(properties, (), seen, frozenset(known))
    paths = sorted(seen, key=written)
    names = named(paths, taken)
    return [
        Proposal(
            Declared(names[path], _type(seen[path].types), path),
            seen[path].types.total(),
            count,
            tuple(example for example, _ in seen[path].examples.most_common(_EXAMPLES)),
        )
        for path in paths
        if seen[path].types
    ]


def named(paths: Sequence[Path], taken: Iterable[str]) -> dict[Path, str]:
    """A name for each path, all different whatever the case, and the same ones for the same paths.

    A name is the keys in small letters with `_` for other signs. Of several paths with one name it goes to the one that is written just so, and the
    others, in the order of their paths, get _2, _3 and so on; a name that is taken gets _property.
    """
    gone = {name.lower() for name in taken}
    wished = {path: _wished(path, gone) for path in paths}
    names: dict[Path, str] = {}
    for path in sorted(paths, key=lambda path: (wished[path] != ".".join(map(str, path)), written(path))):
        name, number = wished[path], 1
        while name in gone:
            number += 1
            name = f"{wished[path]}_{number}"
        gone.add(name)
        names[path] = name
    return names


def as_toml(table: str, found: Iterable[Proposal]) -> str:
    """The columns as the settings file has them."""
    lines = [f"[properties.{table}]"]
    for proposal in found:
        name = proposal.column.name
        key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)
        lines.append(f'{key} = {{ type = "{proposal.column.type.name}", path = {_text(written(proposal.column.path))} }}')
    return "\n".join(lines) + "\n"


def as_sql(table: str, found: Iterable[Proposal], name: str) -> str:
    """The columns as a virtual table."""
    columns = ",\n".join(f"    {proposal.column.sql}" for proposal in found)
    return f"CREATE VIRTUAL TABLE {quoted(name)} USING klaviyo(\n    {table},\n{columns}\n);\n"


def _look(value: Mapping[str, Any], above: Path, seen: dict[Path, _Seen], known: frozenset[Path]) -> None:
    for key, inner in value.items():
        path = (*above, key)
        if path in known:
            continue
        if isinstance(inner, Mapping) and inner and len(path) < _DEEPEST:
            _look(inner, path, seen, known)
            continue
        found = seen.setdefault(path, _Seen())
        if inner is not None:
            found.types[_type_of(inner)] += 1
            found.examples[json.dumps(inner, ensure_ascii=False, separators=(",", ":"))] += 1


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int | float):
        return "INTEGER" if isinstance(value, int) else "REAL"
    if isinstance(value, dict | list):
        return "JSON"
    if _DAY.fullmatch(value):
        return "DATE" if _is_time(value) else "TEXT"
    return "TIMESTAMP" if _TIME.match(value) and _is_time(value) else "TEXT"


def _is_time(text: str) -> bool:
    try:
        timestamps.parse(text)
    except ValueError:
        return False
    return True


def _type(types: Counter[str]) -> Type:
    """The one type that all values have, or that holds all of them."""
    met = set(types)
    if len(met) == 1:
        return Type[met.pop()]
    if met <= {"INTEGER", "REAL"}:
        return Type.REAL
    return Type.TIMESTAMP if met <= {"DATE", "TIMESTAMP"} else Type.TEXT


def _wished(path: Path, taken: set[str]) -> str:
    name = re.sub(r"\W+", "_", "_".join(map(str, path)).lower()).strip("_") or "property"
    if name[0].isdigit():
        name = f"_{name}"
    return f"{name}_property" if name in taken else name


def _text(text: str) -> str:
    """A TOML string; JSON's strings are TOML's but for one sign."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
