"""The key is in no text that anybody can see."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import httpx
import pytest

from klaviyo_sql import Connection, Error
from klaviyo_sql.settings import from_environment

KEY = "pk_0123456789abcdef0123456789abcdef01"


def echo(status: int) -> Any:
    """A server that repeats what it was sent, as some proxies do."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = f"You sent Authorization: {request.headers['Authorization']}"
        problem = {"code": said, "title": said, "detail": said, "source": {"parameter": said}, "meta": {"key": said}}
        return httpx.Response(status, json={"errors": [problem]}, headers={"Location": f"https://evil.example/{KEY}", "X": said})

    return answer


def texts(connection: Connection, error: BaseException) -> list[str]:
    """Everything that is shown or logged of an error and its connection."""
    found = [str(error), repr(error), repr(error.args), repr({name: value for name, value in vars(error).items() if name != "errors"})]
    found += traceback.format_exception(error)
    seen: BaseException | None = error
    while seen is not None:
        found += [str(seen), repr(seen)]
        seen = seen.__cause__ or seen.__context__
    found += [repr(row) for row in connection.execute("SELECT * FROM klaviyo_requests")]
    found += [repr(record) for record in connection.requests]
    found += [repr(connection), repr(vars(connection)), repr(connection.engine), repr(vars(connection.engine.client))]
    return found


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 409, 410, 413, 500, 503])
def test_replies_that_repeat_the_key(answered: Any, status: int) -> None:
    connection, _ = answered(echo(status), max_wait=5.0)
    with pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert not [text for text in texts(connection, caught.value) if KEY in text]


def test_error_objects_of_the_reply_do_not_hold_the_key(answered: Any) -> None:
    connection, _ = answered(echo(400))
    with pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert KEY not in repr(caught.value.errors)  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [httpx.ConnectError(f"no route for {KEY}"), httpx.ReadError(KEY), httpx.LocalProtocolError(KEY)])
def test_network_errors_that_repeat_the_key(answered: Any, error: Exception) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    connection, _ = answered(fail)
    with pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value)
    rows = connection.execute("SELECT * FROM klaviyo_requests").fetchall()
    assert rows
    assert KEY not in repr(rows)


def test_a_link_that_repeats_the_key(answered: Any) -> None:
    connection, _ = answered(lambda request: httpx.Response(200, json={"data": [], "links": {"next": f"https://{KEY}@evil.example/{KEY}?k={KEY}"}}))
    with pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert not [text for text in texts(connection, caught.value) if KEY in text]


def test_settings_do_not_show_the_key() -> None:
    settings = from_environment(api_key=KEY)
    assert KEY not in repr(settings)
    assert KEY not in str(settings)
    assert repr(copy.copy(settings)) == repr(settings)


def test_a_query_with_the_key_in_it(answered: Any) -> None:
    """Somebody pastes the key into a query: it goes to Klaviyo as a value, and errors mask it."""
    connection, _ = answered(lambda request: httpx.Response(400, json={"errors": [{"detail": f"bad {KEY}"}]}))
    with pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM lists WHERE name = ?", (KEY,)).fetchall()
    assert KEY not in str(caught.value)


def test_a_connection_cannot_be_pickled(answered: Any) -> None:
    connection, _ = answered(echo(200))
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(connection)


def test_the_header_carries_the_key_and_the_url_does_not(answered: Any) -> None:
    connection, transport = answered(lambda request: httpx.Response(200, json={"data": [], "links": {"next": None}}))
    connection.execute("SELECT * FROM lists").fetchall()
    (request,) = transport.requests
    assert request.headers["Authorization"] == f"Klaviyo-API-Key {KEY}"
    assert KEY not in str(request.url)
    assert KEY not in repr(request.headers)
