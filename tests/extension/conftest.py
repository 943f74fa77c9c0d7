"""The extension, compiled once for all tests, and programs that have it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from oracle import truth
from oracle.oracle import Oracle

from klaviyo_sql.extension import build
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, serve

from .gated import GatedSandbox
from .host import Host, Requests
from .programs import Program

Open = Callable[..., Host]
SERVING = Path(__file__).parent / "serving.py"


class Extension(NamedTuple):
    """The library, the worker that it starts (a program that is given for Python), and what sessions are to be."""

    library: Path
    worker: Path
    orders: Path
    requests: Requests

    def order(self, account: str | None, **settings: Any) -> None:
        """Sessions that begin from now on are of this account."""
        self.orders.write_text(json.dumps({"account": account, "settings": settings}), encoding="utf-8")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension; without a C compiler and SQLite's headers its tests are skipped."""
    if (reason := build.lacking()) is not None:
        pytest.skip(reason)
    return build.build(tmp_path_factory.mktemp("library") / build.NAME)


@pytest.fixture(scope="session")
def _extension(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Extension:
    folder = tmp_path_factory.mktemp("worker")
    orders, requests, worker = folder / "orders.json", folder / "requests.jsonl", folder / "python"
    worker.write_text(f"#!/bin/sh\nunset LD_PRELOAD\nexec {shlex.join((sys.executable, str(SERVING), str(orders), str(requests)))}\n", encoding="utf-8")
    worker.chmod(0o755)
    return Extension(library, worker, orders, Requests(requests))


@pytest.fixture
def extension(_extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Extension:
    """The extension, which starts the tests' worker."""
    monkeypatch.setenv("KLAVIYO_SQL_PYTHON", str(_extension.worker))
    return _extension


@pytest.fixture
def open_host(extension: Extension) -> Iterator[Callable[..., Host]]:
    """Opens connections of this program to an account of the tests; closes them at the end."""
    hosts: list[Host] = []

    def open_one(account: str | None = "plans", database: str = ":memory:", **settings: Any) -> Host:
        extension.order(account, **settings)
        host = Host(extension.library, extension.requests, database)
        hosts.append(host)
        host.execute("SELECT count(*) FROM klaviyo_requests").fetchall()  # the session is what is ordered now
        host.sandbox.requests.clear()
        return host

    yield open_one
    for host in hosts:
        host.close()


def _oracle(extension: Extension, made: Account, order: str, **given: Any) -> Oracle:
    """An oracle whose tables are in the extension; the worker finds the account by the order."""

    def opens(cached: bool) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KLAVIYO_SQL_PYTHON", str(extension.worker))
            extension.order(order, **{"cache_seconds": 60.0 if cached else 0, "parallel": 1 if cached else 20, "max_wait": 10_000, **given})
            host = Host(extension.library, extension.requests)
            host.execute("SELECT count(*) FROM klaviyo_requests").fetchall()
            return host

    return Oracle(made, truth.database(truth.contents(made)), opens)


@pytest.fixture(scope="session")
def oracle(_extension: Extension) -> Iterator[Oracle]:
    """The oracle whose tables are in the extension, in the place of that of the suites that are imported here."""
    found = _oracle(_extension, truth.account(), "oracle")
    yield found
    found.close()


@pytest.fixture(scope="session")
def unread(_extension: Extension) -> Iterator[Oracle]:
    """The same of an account whose rows Klaviyo may count when nobody reads them."""
    found = _oracle(_extension, truth.eventful(), "eventful", counts="aggregates")
    yield found
    found.close()


@pytest.fixture
def open_writing(open_host: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens connections that may write, each to a small account of its own."""
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")

    def open_one(**settings: Any) -> Host:
        return open_host("writing", **{"write": True, "cache_seconds": 0, **settings})

    return open_one


@pytest.fixture
def host(open_writing: Open) -> Host:
    """One such connection."""
    return open_writing()


@pytest.fixture
def server(account: Account, extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatedSandbox]:
    """A server that programs with the extension ask."""
    sandbox = GatedSandbox(account)
    with serve(sandbox) as url:
        monkeypatch.setenv("KLAVIYO_API_URL", url)
        monkeypatch.setenv("KLAVIYO_API_KEY", SANDBOX_KEY)
        extension.order(None)
        try:
            yield sandbox
        finally:
            sandbox.gate.set()


@pytest.fixture
def program(extension: Extension) -> Iterator[Callable[..., Program]]:
    """Starts programs with the extension, and ends them."""
    programs: list[Program] = []

    def start(script: str, **options: Any) -> Program:
        programs.append(Program(extension.library, script, **options))
        return programs[-1]

    yield start
    for one in programs:
        one.close()
