"""Every kind of reply of every operation that is imitated, held against the JSON schema that Klaviyo publishes for it."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.contract import facts, operation
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.sandbox.subjects import ENDPOINTS

from .conftest import Ask, asker
from .described import hold_against
from .operations import READS, ids, path, variants

_REPORTS = {
    "campaign_values": ["opens", "open_rate"],
    "flow_values": ["conversions", "revenue_per_recipient"],
    "flow_series": ["clicks", "click_rate"],
    "form_values": ["viewed_form", "submit_rate"],
    "form_series": ["submits", "submit_rate"],
    "segment_values": ["total_members"],
    "segment_series": ["net_members_changed"],
}
# What answers questions without changing anything, and is sent in a body.
_ASKED_IN_A_BODY = {"query_metric_aggregates"} | {f"query_{name}" for name in _REPORTS}
# Only asks as well, but runs templates through a language of their own, which the sandbox does not speak.
_NOT_IMITATED = {"render_template"}


def test_every_operation_that_only_reads_is_imitated() -> None:
    asking = {name for name, described in facts().operations.items() if described.method == "GET" or name.startswith(("query_", "render_"))}
    assert asking == set(READS) | _ASKED_IN_A_BODY | _NOT_IMITATED
    assert set(ENDPOINTS) >= _ASKED_IN_A_BODY


@pytest.mark.parametrize("name", READS)
def test_replies_are_as_described(account: Account, name: str) -> None:
    ask = asker(Sandbox(account, limits=False, entitlements=("webhooks",)))
    answered = 0
    for variant in variants(name):
        for identifier in ids(account, name):
            target = path(name, identifier) + variant
            answer = ask(target)
            assert answer.status == 200, (target, answer.document)
            hold_against(name, answer.document, sparse="fields[" in variant.replace("additional-fields[", ""))
            answered += bool(answer.document["data"])
    assert answered, "nothing but empty replies"


@pytest.mark.parametrize(("name", "statistics"), _REPORTS.items())
def test_reports_are_as_described(ask: Ask, account: Account, name: str, statistics: list[str]) -> None:
    attributes: dict[str, Any] = {"statistics": statistics, "timeframe": {"start": "2026-10-01T00:00:00", "end": "2026-10-15T00:00:00"}}
    if name.startswith(("campaign", "flow")):
        attributes["conversion_metric_id"] = next(iter(account.metrics))
    if "series" in name:
        attributes["interval"] = "weekly"
    described = operation(f"query_{name}")
    answer = ask(described.path, {"data": {"type": described.path.removeprefix("/api/").removesuffix("s"), "attributes": attributes}})
    assert answer.status == 200, answer.document
    # In live replies, and not described.
    assert answer.document["data"].pop("id")
    hold_against(f"query_{name}", answer.document)
    assert answer.document["data"]["attributes"]["results"]


@pytest.mark.parametrize("by", [[], ["$value_currency"]])
def test_metric_aggregates_are_as_described(ask: Ask, account: Account, by: list[str]) -> None:
    attributes = {
        "metric_id": next(iter(account.metrics)),
        "measurements": ["count", "sum_value", "unique"],
        "filter": ["greater-or-equal(datetime,2026-01-01T00:00:00)", "less-than(datetime,2026-03-01T00:00:00)"],
        "by": by,
    }
    answer = ask("/api/metric-aggregates", {"data": {"type": "metric-aggregate", "attributes": attributes}})
    assert answer.status == 200
    hold_against("query_metric_aggregates", answer.document)
