"""One account, held twice: behind the API, and in plain tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import truth
from .oracle import Oracle


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    made = truth.account()
    found = Oracle(made, truth.database(truth.contents(made)))
    yield found
    found.close()
