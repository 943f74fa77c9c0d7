"""Bodies that are inflated in one go: the same bytes as piece by piece, and an error when they are not what they claim to be."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest

from klaviyo_sql.fetch.bodies import Packed, inflated, received, size

PAGE = b'{"data":[' + b",".join(b'{"id":"%d"}' % n for n in range(20_000)) + b"]}"


class Pieces(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 1_000):
            yield self._body[start : start + 1_000]


def reply(body: bytes, encoding: str | None) -> httpx.Response:
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    return httpx.Response(200, headers=headers, stream=Pieces(body), request=httpx.Request("GET", "http://localhost/"))


@pytest.mark.parametrize("body", [PAGE, b"", b"{}"])
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity", None])
def test_the_body_is_what_was_sent(body: bytes, encoding: str | None) -> None:
    sent = gzip.compress(body) if encoding not in ("identity", None) else body
    assert received(reply(sent, encoding)) == body


LONG = b'{"data":[' + b",".join(b'{"id":"%d"}' % (n * n) for n in range(20_000)) + b"]}"


def test_a_long_body_stays_packed_for_whoever_wants_it_so() -> None:
    sent = gzip.compress(LONG)
    assert received(reply(sent, "gzip")) == LONG
    body = received(reply(sent, "gzip"), packed=True)
    assert body == Packed(sent)
    assert (len(body), size(body), inflated(body)) == (len(sent), len(LONG), LONG)


@pytest.mark.parametrize("sent", [gzip.compress(b"{}"), b"", gzip.compress(LONG[:2_000])], ids=["two bytes", "none", "short"])
def test_a_short_body_is_looked_at_at_once(sent: bytes) -> None:
    body = received(reply(sent, "gzip"), packed=True)
    assert isinstance(body, bytes)
    assert (inflated(body), size(body)) == (body, len(body))


@pytest.mark.parametrize("sent", [gzip.compress(LONG)[:-9], gzip.compress(LONG)[:-8] + b"\0" * 8, b"<html>" * 9_000], ids=["cut off", "checksum", "no gzip"])
def test_a_packed_body_that_is_broken_is_an_error_when_it_is_read(sent: bytes) -> None:
    body = received(reply(sent, "gzip"), packed=True)
    with pytest.raises(httpx.DecodingError):
        inflated(body)


def test_a_reply_that_a_transport_gives_whole_is_taken_as_it_is() -> None:
    assert received(httpx.Response(200, content=PAGE)) == PAGE
    assert received(httpx.Response(200, content=gzip.compress(PAGE), headers={"Content-Encoding": "gzip"})) == PAGE


@pytest.mark.parametrize("said", [0, 1, len(PAGE) - 1, 2**32 - 1])
def test_a_wrong_length_at_the_end_is_an_error_and_reserves_no_memory_for_nothing(said: int) -> None:
    sent = gzip.compress(PAGE)[:-4] + said.to_bytes(4, "little")
    with pytest.raises(httpx.DecodingError):
        received(reply(sent, "gzip"))


@pytest.mark.parametrize(
    "sent",
    [gzip.compress(PAGE)[:-9], gzip.compress(PAGE)[:500], b"<html>sorry</html>", gzip.compress(PAGE)[:-8] + b"\0" * 8],
    ids=["cut off", "a beginning", "no gzip", "checksum"],
)
def test_what_is_cut_off_or_no_gzip_is_an_error(sent: bytes) -> None:
    with pytest.raises(httpx.DecodingError):
        received(reply(sent, "gzip"))


def test_whoever_waits_is_asked_between_the_pieces() -> None:
    heard = []

    def stop() -> None:
        heard.append(1)
        if len(heard) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        received(reply(gzip.compress(PAGE), "gzip"), stop)
    assert len(heard) == 3
