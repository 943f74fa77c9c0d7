"""The loadable extension against the adapter in Python: how many rows a second SQLite gets, and how long what has no rows takes.

    python benchmarks/extension.py [--rows 1000000] [--times 3]

Rows are a page of events that was read and decoded once, handed out again and again, so that what is measured is the way from Klaviyo's rows to SQLite's:
in this process through apsw, and in the stock sqlite3 shell through the extension, whose worker has the same page. Figures are the best of so many times;
`ratio` is against apsw, with as many columns. The second core, if there is one, is the worker's: run it with taskset -c 0 to see what is left without.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

PAGE = 1_000
COLUMNS = {
    1: ("id",),
    8: ("id", "datetime", "timestamp", "metric_id", "profile_id", "value", "event_properties", "uuid"),
}


def query(columns: int) -> str:
    """SQLite takes every value and computes little with it; one row comes out. Of a column that is never NULL it would not read what it only counts."""
    sums = ", ".join(f"sum(typeof({name}) <> 'null')" for name in COLUMNS[columns])
    return f"SELECT {sums} FROM events"  # noqa: S608 - the names are above


def replay(session: Any, rows: int) -> None:
    """From now on scans of events have so many rows: those of their first page, again and again."""
    engine, pages = session.engine, session.engine.pages_of
    kept: dict[tuple[int, ...], list[Any]] = {}

    def again(scan: Any, _: Any = None) -> Iterator[list[Any]]:
        if scan.table.name != "events":
            return pages(scan)  # type: ignore[no-any-return]
        if scan.columns not in kept:
            kept[scan.columns] = next(pages(scan))
        page = kept[scan.columns]
        return (list(page) for _ in itertools.repeat(None, rows // len(page)))

    engine.pages_of = again


def worker(rows: int) -> None:
    """The extension's worker, with such scans."""
    from klaviyo_sql.extension import conversation
    from klaviyo_sql.extension.settings import arranged
    from klaviyo_sql.extension.worker import main
    from klaviyo_sql.session.session import Session

    class Replaying(Session):
        def __init__(self, *arguments: Any, **given: Any) -> None:
            super().__init__(*arguments, **given)
            replay(self, rows)

    conversation.Session = Replaying  # type: ignore[misc]
    main(arranged)


def best(times: int, run: Callable[[], Any]) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return min(found)


class Shell:
    """The stock sqlite3 shell with the extension in it; statements are answered one after the other."""

    def __init__(self, library: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [shutil.which("sqlite3") or "sqlite3", "-batch", ":memory:"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment)
        )
        self.run(f".load '{library}'")

    def run(self, statement: str) -> str:
        """What it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{statement}\n.print done\n")
        self._process.stdin.flush()
        lines = iter(self._process.stdout.readline, "done\n")
        return "".join(lines)

    def close(self) -> None:
        """Leave it."""
        self._process.communicate(".quit\n", timeout=10)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--times", type=int, default=3)
    arguments.add_argument("--worker", type=int, metavar="ROWS", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.worker:
        worker(given.worker)
        return
    import klaviyo_sql
    from klaviyo_sql.extension import build

    with tempfile.TemporaryDirectory() as folder:
        library = build.build(Path(folder) / build.NAME)
        python = Path(folder) / "python"
        python.write_text(f"#!/bin/sh\nexec {shlex.join((sys.executable, str(Path(__file__).resolve()), '--worker', str(given.rows)))}\n", encoding="utf-8")
        python.chmod(0o755)
        environment = {**os.environ, "KLAVIYO_SQL_PYTHON": str(python), "KLAVIYO_SQL_SANDBOX": "1", "KLAVIYO_SQL_STATE_FOLDER": folder}
        shell = Shell(library, environment)
        print(f"{given.rows:,} rows, best of {given.times}")
        with klaviyo_sql.connect(sandbox=True, autocommit=True) as connection:
            replay(connection.session, given.rows)
            for columns in COLUMNS:
                sql = query(columns)
                answers = str(connection.execute(sql).fetchone()), shell.run(sql + ";")
                assert answers[0].strip("(,)") == answers[1].strip().replace("|", ", "), answers
                inside = best(given.times, lambda sql=sql: connection.execute(sql).fetchall())  # type: ignore[misc]
                outside = best(given.times, lambda sql=sql: shell.run(sql + ";"))  # type: ignore[misc]
                print(
                    f"{columns} columns: apsw {given.rows / inside:>10,.0f} rows/s, shell {given.rows / outside:>10,.0f} rows/s, ratio {inside / outside:.2f}"
                )
        one = "SELECT id FROM events LIMIT 1;"
        shell.run(one)
        print(f"one row, answered from memory: {best(50, lambda: shell.run(one)) * 1000:.2f} ms")
        idle = best(50, lambda: shell.run("SELECT 1;")) * 1000
        print(f"SELECT 1 in the same shell: {idle:.2f} ms")
        shell.close()
        command = [shutil.which("sqlite3") or "sqlite3", "-batch", ":memory:"]
        load = [*command[:-1], "-cmd", f".load '{library}'", ":memory:"]
        plain = best(10, lambda: subprocess.run([*command, "SELECT 1"], check=True, capture_output=True, env=environment))
        loaded = best(10, lambda: subprocess.run([*load, "SELECT 1"], check=True, capture_output=True, env=environment))
        first = best(5, lambda: subprocess.run([*load, "SELECT count(*) FROM klaviyo_requests"], check=True, capture_output=True, env=environment))
        print(
            f"shell that ends at once: {plain * 1000:.0f} ms; with the extension loaded {loaded * 1000:.0f} ms; with its worker started {first * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
