"""One account, held twice: behind the API, and in plain tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from klaviyo_sql import Connection
from klaviyo_sql.settings import COUNTING
from klaviyo_sql.sqlite import cursor

from . import truth
from .oracle import Oracle, connection


@pytest.fixture(autouse=True)
def _short_pages_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two rows are worth to be handed on, as those of thousands are."""
    monkeypatch.setattr(cursor, "WORTH", 1)


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    made = truth.account()
    found = Oracle(made, truth.database(truth.contents(made)))
    yield found
    found.close()


@pytest.fixture(scope="session")
def unread() -> Iterator[Oracle]:
    """An oracle whose rows Klaviyo may count when nobody reads them; statements are not read beforehand."""
    made = truth.eventful()

    def opens(cached: bool) -> Connection:
        opened = connection(made, cached, counts=COUNTING[1])
        opened._counts = COUNTING[0]
        return opened

    found = Oracle(made, truth.database(truth.contents(made)), opens)
    yield found
    found.close()
