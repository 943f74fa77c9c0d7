"""Statements whose rows SQLite only hands on: it reads some columns of each row of one of Klaviyo's tables and returns them, unseen.

A row costs SQLite a call for each of its cells and two for itself. Where its own program shows that it does nothing else with them, it is enough that it
takes one row of each page, which keeps it in step; the others have the same cells, in the same order.
"""

from __future__ import annotations

from typing import Any

import apsw

WORTH = 50
"""Rows of a page that are worth to look at the program."""


def handed_on(sqlite: apsw.Connection, sql: str, bindings: Any, agreed: str) -> tuple[int, ...] | None:
    """The columns that each row of the scan `agreed` makes a row of, in their order; None when that is not all that the statement does.

    By SQLite's program for the statement (EXPLAIN): its one virtual table is scanned by a loop that only reads columns into the registers of the result.
    """
    cursor = sqlite.cursor()
    cursor.exec_trace = lambda *_: True  # it is no statement of its own
    try:
        program = list(cursor.execute(f"EXPLAIN {sql}", bindings, can_cache=False))
    except apsw.Error:
        return None  # interrupted, say: whatever it is, the statement itself will hear of it
    loops = [line for line in program if line[1] == "VFilter"]
    if [line[1] for line in program].count("VOpen") != 1 or len(loops) != 1 or loops[0][5] != agreed:
        return None
    beginning, scan = loops[0][0] + 1, loops[0][2]
    read: dict[int, int] = {}
    for number, (_, does, first, second, third, _, flags, _) in enumerate(program[beginning:]):
        if does == "VColumn" and first == scan and not flags and third not in read:
            read[third] = second
            continue
        following = program[beginning + number + 1]
        loops_back = following[1:4] == ("VNext", scan, beginning)
        if does != "ResultRow" or not loops_back or sorted(read) != list(range(first, first + second)):
            return None
        return tuple(read[register] for register in range(first, first + second))
    return None
