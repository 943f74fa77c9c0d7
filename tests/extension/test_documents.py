"""What the page of the extension shows is run, through the extension."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .host import Host

PAGE = Path(__file__).parents[2] / "docs" / "extension.md"


def test_the_statements_of_the_page_return_rows(open_host: Callable[..., Host]) -> None:
    host = open_host()
    found = re.findall(r"^```sqlite\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    statements = [statement for block in found for statement in block.split(";\n") if statement.strip()]
    assert len(statements) == 4
    for statement in statements:
        assert host.execute(statement.replace("'now'", "'2026-11-20 12:00:00'")).fetchall(), statement


def test_the_calls_of_the_page_return_rows(host: Host) -> None:
    (block,) = re.findall(r"^## Procedures\n.*?^```sql write\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for statement in block.split(";\n"):
        assert not statement.strip() or host.execute(statement).fetchall(), statement
    assert len([record for record in host.sandbox.requests if not record.operation.startswith("get_")]) == 4
