"""What each format makes of rows, to the letter; and that it makes it row by row."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from klaviyo_sql.cli.arguments import parser
from klaviyo_sql.cli.display import cut, harmless, visible, width
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.formats.json_text import unique
from klaviyo_sql.cli.formats.look_ahead import LOOK_AHEAD
from klaviyo_sql.cli.terminal import Look

PLAIN = Look()
NASTY = "a|b\n\x1b[31mré\x00d\x9b \u202e"


def written(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], look: Look = PLAIN) -> str:
    return "".join(FORMATS[name](columns, rows, look))


COLUMNS = ("name", "count", "value", "blob")
ROWS = (("Zoë", 1, 2.5, b"\x00\xff"), (None, None, None, None), ("", -20, 1e20, b""), ("NULL", 0, 0.1, b"x"))


def test_table() -> None:
    assert written("table", COLUMNS, ROWS) == (
        "name    count  value  blob\n"
        "──────  ─────  ─────  ───────\n"
        "Zoë         1    2.5  x'00ff'\n"
        "NULL     NULL   NULL  NULL\n"
        "          -20  1e+20  x''\n"
        "'NULL'      0    0.1  x'78'\n"
    )


def test_csv() -> None:
    assert written("csv", COLUMNS, ROWS) == 'name,count,value,blob\r\nZoë,1,2.5,AP8=\r\n,,,\r\n"",-20,1e+20,\r\nNULL,0,0.1,eA==\r\n'


def test_json() -> None:
    text = written("json", COLUMNS, ROWS)
    assert text.startswith('[\n{"name":"Zoë","count":1,"value":2.5,"blob":"AP8="},\n{"name":null,')
    assert text.endswith("}\n]\n")
    assert [tuple(row.values()) for row in json.loads(text)][1] == (None, None, None, None)


def test_jsonl() -> None:
    assert written("jsonl", ("a", "b"), [(1, "x\ny"), (None, '"')]) == '{"a":1,"b":"x\\ny"}\n{"a":null,"b":"\\""}\n'


def test_markdown() -> None:
    assert written("markdown", ("a|b", "n"), [("x|y\nz", 1), (None, 2), ("<b>*\\|[1](u)", None), ("Q&A &amp;", 3)]) == (
        "| a\\|b | n |\n| --- | ---: |\n| x\\|y<br>z | 1 |\n|  | 2 |\n| \\<b>\\*\\\\\\|\\[1](u) |  |\n| Q&A \\&amp; | 3 |\n"
    )


@pytest.mark.parametrize(
    ("name", "expected"), [("table", "a  b\n─  ─\n"), ("csv", "a,b\r\n"), ("json", "[]\n"), ("jsonl", ""), ("markdown", "| a | b |\n| --- | --- |\n")]
)
def test_no_rows(name: str, expected: str) -> None:
    assert written(name, ("a", "b"), []) == expected


def test_csv_comes_back_through_another_reader() -> None:
    rows = [(NASTY, '"', "a,b", "\r\n", " padded "), ("", "", "", "", ""), ("=1+1", "é", "🎉", "'", ";")]
    assert list(csv.reader(io.StringIO(written("csv", list("abcde"), rows), newline="")))[1:] == [list(row) for row in rows]


def test_a_csv_row_of_one_null_is_not_an_empty_line() -> None:
    assert written("csv", ("a",), [(None,), ("",)]) == 'a\r\n""\r\n""\r\n'


def test_json_comes_back_through_another_reader() -> None:
    row = (NASTY, 2**63 - 1, 0.1, -0.0, math.inf, -math.inf, None)
    assert tuple(json.loads(written("json", list("abcdefg"), [row]))[0].values()) == row


def test_columns_of_one_name_are_all_there_in_json() -> None:
    assert unique(["id", "id", "id_2", "id", "x", "x"]) == ["id", "id_3", "id_2", "id_4", "x", "x_2"]
    assert json.loads(written("json", ("id", "id"), [(1, 2)])) == [{"id": 1, "id_2": 2}]
    assert written("csv", ("id", "id"), [(1, 2)]) == "id,id\r\n1,2\r\n"


@pytest.mark.parametrize("name", FORMATS)
def test_a_terminal_gets_no_control_characters(name: str) -> None:
    text = written(name, ("h\x1b[0m",), [(NASTY,)], Look(terminal=True, width=200))
    assert not set(text) & set("\x1b\x00\x9b\u202e")


def test_control_characters_are_visible() -> None:
    assert visible(NASTY) == r"a|b\n\x1b[31mré\x00d\x9b \u202e"
    assert written("table", ("a",), [(NASTY,)]).splitlines()[-1] == visible(NASTY)
    assert harmless("one\ttwo\nthree\x07") == "one\ttwo\nthree\\x07"


def test_wide_and_combining_characters_line_up() -> None:
    text = written("table", ("name", "n"), [("日本", 1), ("e\u0301", 2), ("🎉", 3), ("abc", 4)])
    assert text == "name  n\n────  ─\n日本  1\ne\u0301     2\n🎉    3\nabc   4\n"
    assert (width("日本"), width("e\u0301"), width("🎉"), width("\u200d")) == (4, 1, 2, 0)
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert cut("日本語", 6) == "日本語"


def test_a_table_is_cut_to_the_terminal_but_not_its_numbers_and_short_texts() -> None:
    rows = [("01J5ZHV0H47FP6ZBH47JF2S1X0", "2026-01-01 00:00:00", "long " * 20, 12345)]
    text = written("table", ("id", "datetime", "text", "n"), rows, Look(width=80))
    assert {width(line) for line in text.splitlines()} == {80}
    assert text.splitlines()[2] == "01J5ZHV0H47FP6ZBH47JF2S1X0  2026-01-01 00:00:00  long long long long lon…  12345"
    assert "long " * 20 in written("table", ("id", "datetime", "text", "n"), rows)


def test_later_rows_are_cut_to_the_widths_of_the_first_and_numbers_are_whole() -> None:
    rows = [("ab", 1)] * LOOK_AHEAD + [("abcdef", 123456)]
    assert written("table", ("a", "n"), rows, Look(width=80)).splitlines()[-1] == "a…  123456"
    assert written("table", ("a", "n"), rows).splitlines()[-1] == "abcdef  123456"


def test_rows_that_cannot_fit_become_blocks() -> None:
    columns = [f"column_{number}" for number in range(20)]
    rows = [["x" * 100, None, 5, *["text"] * 17]] * 2
    found = written("table", columns, rows, Look(width=60)).splitlines()
    assert len(found) == 42
    assert found[0] == "── 1 " + "─" * 55
    assert found[1] == "column_0   " + "x" * 48 + "…"
    assert found[2:4] == ["column_1   NULL", "column_2   5"]
    assert found[21].startswith("── 2 ")


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert written("table", ("a",), [("x" * 50,)], Look(width=30, unicode=False)) == f"a\n{'-' * 30}\n{'x' * 29}~\n"


def test_color_is_in_the_head_and_in_null() -> None:
    assert written("table", ("a", "b"), [("x", None)], Look(color=True)) == (
        "\x1b[1ma\x1b[0m  \x1b[1mb\x1b[0m\n\x1b[2m─\x1b[0m  \x1b[2m────\x1b[0m\nx  \x1b[2mNULL\x1b[0m\n"
    )


@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_written_while_they_come(name: str) -> None:
    """No format is further ahead of its output than its look-ahead, however many rows there are."""
    taken = 0

    def rows() -> Iterator[tuple[int, str]]:
        nonlocal taken
        for number in range(10**9):
            taken += 1
            yield number, "text"

    pieces = FORMATS[name](("n", "t"), rows(), PLAIN)
    for count, _ in zip(range(1_000), pieces, strict=False):
        assert taken - count <= LOOK_AHEAD + 1
    assert taken <= 1_000 + LOOK_AHEAD


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no more")])
@pytest.mark.parametrize("name", FORMATS)
def test_rows_before_a_failure_are_written(name: str, error: BaseException) -> None:
    def rows() -> Iterator[tuple[str]]:
        yield ("first",)
        yield ("second",)
        raise error

    found = io.StringIO()
    with pytest.raises(type(error)):
        found.writelines(FORMATS[name](("a",), rows(), PLAIN))
    assert "second" in found.getvalue()


def test_the_help_knows_every_format() -> None:
    for name in FORMATS:
        assert parser().parse_args(["query", "--format", name]).format == name
