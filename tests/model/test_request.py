"""A request as a value."""

from __future__ import annotations

import httpx
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.model.request import Request


def test_target_and_readable() -> None:
    request = Request("get_events", "GET", "/api/events", (("filter", 'equals(metric_id,"X Y+Z")'), ("page[size]", "10")), table="events")
    assert request.target == "/api/events?filter=equals%28metric_id%2C%22X%20Y%2BZ%22%29&page%5Bsize%5D=10"
    assert request.readable == 'GET /api/events?filter=equals(metric_id,"X Y+Z")&page[size]=10'
    assert Request("get_accounts", "GET", "/api/accounts").target == "/api/accounts"


def test_a_body_is_part_of_what_a_person_reads() -> None:
    request = Request("query_metric_aggregates", "POST", "/api/metric-aggregates", body={"data": {"type": "x"}})
    assert request.readable == 'POST /api/metric-aggregates {"data":{"type":"x"}}'


def test_the_table_does_not_tell_requests_apart() -> None:
    assert Request("get_lists", "GET", "/api/lists", table="lists") == Request("get_lists", "GET", "/api/lists", table="list_profiles")


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=4, unique_by=lambda pair: pair[0]))
def test_any_parameter_arrives_as_it_was(parameters: list[tuple[str, str]]) -> None:
    parameters = [(name, value) for name, value in parameters if (name + value).isprintable()]
    target = Request("x", "GET", "/x", tuple(parameters)).target
    assert target.isascii()
    assert list(httpx.URL(f"https://a.klaviyo.com{target}").params.multi_items()) == parameters
