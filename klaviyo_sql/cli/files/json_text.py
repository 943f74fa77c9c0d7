"""JSON: an object a line, or one array of objects. A key that an object does not have says nothing of its column; null says that there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files.record import REASON, Record

_CHUNK = 1 << 16
_SPACES = " \t\r\n"


class _Twice(ValueError):  # noqa: N818 - it is no error of its own
    """An object has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice("an object has a key twice")
    return found


def _no_number(text: str) -> Any:
    raise _Twice(f"{text} is no number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


def begins_with_an_array(path: Path) -> bool:
    """Whether the first character that is no space is `[`."""
    with _opened(path) as file:
        while chunk := file.read(_CHUNK):
            if text := chunk.lstrip(_SPACES):
                return text.startswith("[")
    return False


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            yield file
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8.") from None


class _Objects:
    """What both have in common: a file of objects, and a file of those that are refused, with the texts that stand before, between and after them."""

    before = ""
    between = "\n"
    after = "\n"

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Record]:
        raise NotImplementedError

    @cached_property
    def columns(self) -> Sequence[str]:
        """The keys of all objects, in the order in which they are met."""
        return list(dict.fromkeys(key for record in self for key in record.values))

    @contextmanager
    def rejects(self, path: Path) -> Iterator[_Rejects]:
        """The same objects with the reason as one key more."""
        rejects = _Rejects(path, self.before, self.between, self.after)
        try:
            yield rejects
        finally:
            rejects.close()


class JsonLines(_Objects):
    """An object a line; empty lines are no rows."""

    describes = "JSON lines"

    def __iter__(self) -> Iterator[Record]:
        number = 0
        with _opened(self.path) as file:
            for line in file:
                if not line.strip(_SPACES):
                    continue
                number += 1
                try:
                    found = _DECODER.decode(line)
                except _Twice as error:
                    yield Record(number, {}, line.strip(_SPACES), str(error))
                except ValueError:
                    yield Record(number, {}, line.strip(_SPACES), "the line is not JSON")
                else:
                    yield _record(number, found)


class JsonArray(_Objects):
    """One array of objects, read as it goes, however long it is."""

    describes = "a JSON array"
    before, between, after = "[\n", ",\n", "\n]\n"

    def __iter__(self) -> Iterator[Record]:
        for number, found in enumerate(self._elements(), 1):
            yield _record(number, found)

    def _elements(self) -> Iterator[Any]:
        with _opened(self.path) as file:
            text, ended = file.read(_CHUNK).lstrip(_SPACES), False
            if not text.startswith("["):
                raise UsageError(f"{self.path} is no JSON array of objects.")
            text, first = text[1:], True
            while True:
                text = text.lstrip(_SPACES)
                if not text and not ended:
                    more = file.read(_CHUNK)
                    text, ended = more, not more
                    continue
                if text.startswith("]"):
                    if (text[1:] + file.read(_CHUNK)).strip(_SPACES):
                        raise UsageError(f"{self.path}: there is something behind the end of the array.")
                    return
                if text.startswith(",") and not first:
                    text, first = text[1:], True
                    continue
                if not first:
                    raise UsageError(f"{self.path} is not JSON: a comma is missing between two objects.")
                try:
                    found, end = _DECODER.raw_decode(text)
                    if end == len(text) and not ended:  # a number may go on
                        raise json.JSONDecodeError("", text, end)
                except json.JSONDecodeError:
                    more = file.read(max(_CHUNK, len(text)))  # twice as much each time: a long object is not read over and over
                    if not more:
                        raise UsageError(f"{self.path} is not JSON, or is cut off.") from None
                    text += more
                    continue
                except _Twice as error:
                    raise UsageError(f"{self.path}: {error}.") from None
                yield found
                text, first = text[end:], False


def _record(number: int, found: Any) -> Record:
    if not isinstance(found, dict):
        return Record(number, {}, found, "the row is no JSON object")
    return Record(number, found, found)


class _Rejects:
    def __init__(self, path: Path, before: str, between: str, after: str) -> None:
        self._path = path
        self._before = before
        self._between = between
        self._after = after
        self._file: IO[str] | None = None

    def write(self, record: Record, reason: str) -> None:
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._file.write(self._before)
        else:
            self._file.write(self._between)
        found = {**record.raw, REASON: reason} if isinstance(record.raw, dict) else {"not_an_object": record.raw, REASON: reason}
        self._file.write(json.dumps(found, ensure_ascii=False))

    def close(self) -> None:
        if self._file is not None:
            self._file.write(self._after)
            self._file.close()
