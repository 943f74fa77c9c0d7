"""The sandbox: a strict imitation of Klaviyo's REST API in front of an account in memory."""

from __future__ import annotations

import gzip
import heapq
import itertools
import re
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from klaviyo_sql.contract import facts
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.sandbox import query as queries
from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.endpoints import Call, Memory, Replied
from klaviyo_sql.sandbox.entitlements import DEFAULT, missing_entitlement
from klaviyo_sql.sandbox.faults import Fault, FaultKind, Faults
from klaviyo_sql.sandbox.generation import generate
from klaviyo_sql.sandbox.limits import Limits, rate_of
from klaviyo_sql.sandbox.paging_faults import EXPIRED, PagingFaults
from klaviyo_sql.sandbox.problems import (
    AUTHENTICATION_FAILED,
    NOT_AUTHENTICATED,
    Problem,
    RefusedError,
    invalid,
    not_imitated,
    permission_denied,
    throttled_body,
)
from klaviyo_sql.sandbox.routing import Route, route
from klaviyo_sql.sandbox.subjects import ENDPOINTS, KINDS

SANDBOX_KEY = "sandbox-key"
"""The private key that every sandbox knows unless it is told others."""

CONTENT_TYPE = "application/vnd.api+json"
_REVISION = re.compile(r"(\d{4}-\d{2}-\d{2})(\.[a-z]+)?")
_REVISION_LIFE_IN_YEARS = 2


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP reply, and what becomes of it on the way: `broken` replies do not arrive, or not whole; `pause` seconds lie between small pieces."""

    status: int
    headers: dict[str, str]
    body: bytes
    broken: Literal["", "reset", "truncated", "short_length", "long_length"] = ""
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as the sandbox saw it; `status` is 0 when the reply was lost, `operation` None when the path is unknown."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    operation: str | None
    at: datetime
    body: bytes = b""


@dataclass(slots=True)
class _Progress:
    """What is known of a request so far, for the log and for faults."""

    path: str
    pairs: tuple[tuple[str, str], ...] = ()
    route: Route | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Sandbox:
    """A Klaviyo account with its API.

    Without an account one is generated when the first request comes. `api_keys` maps keys to their scopes, None meaning all;
    `limits` turns rate limits off; `latency` delays every reply by that many seconds of the clock; what is written asynchronously, such
    as an event, can be read `visible_after` seconds later, and a job is complete after `job_duration`. `entitlements` are the default
    ones unless given; with "webhooks" the keys are as those of an OAuth app.
    """

    def __init__(
        self,
        account: Account | None = None,
        *,
        clock: Clock | None = None,
        api_keys: Mapping[str, set[str] | None] | None = None,
        limits: bool = True,
        latency: float = 0.0,
        visible_after: float = 5.0,
        job_duration: float = 10.0,
        entitlements: Collection[str] = DEFAULT,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.api_keys: dict[str, set[str] | None] = dict(api_keys) if api_keys is not None else {SANDBOX_KEY: None}
        self.entitlements = frozenset(entitlements)
        self.latency = latency
        self.visible_after = visible_after
        self.job_duration = job_duration
        self.faults = Faults()
        self._paging = PagingFaults()
        self.requests: list[RequestRecord] = []
        """Every request so far, the oldest first; tests may clear it."""
        self._account = account
        self._limits = Limits(self.clock.monotonic) if limits else None
        self._memory = Memory()
        self._writes: list[tuple[float, int, Callable[[], None]]] = []
        self._scheduled = itertools.count()
        self._lock = threading.RLock()

    @property
    def account(self) -> Account:
        """The account behind the API: the truth that replies are held against."""
        with self._lock:
            if self._account is None:
                self._account = generate()
            return self._account

    def handle(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        sleep: Callable[[float], None] | None = None,
    ) -> Response:
        """Answer one request; `sleep` is what delays are spent with, the clock's if it is not given."""
        pause = sleep or self.clock.sleep
        if self.latency:
            pause(self.latency)
        lowered = {name.lower(): value for name, value in headers.items()}
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"http://{lowered.get('host', 'localhost')}"
        progress = _Progress(parts.path, self._paging.asked(queries.split(parts.query)))
        fault: Fault | None = None
        with suppress(RefusedError):
            progress.route = route(method, parts.path)
        if self.faults.any:
            named = dict(progress.pairs)
            name = progress.route.name if progress.route is not None else None
            fault = self.faults.strike(name, f"{parts.path}?{sorted(named.items())} {body!r}", behind_a_cursor="page[cursor]" in named)
        response = self._respond(method, origin, lowered, body, progress, fault)
        if fault is not None and fault.kind == "slow":
            pause(fault.seconds)
        name = progress.route.name if progress.route is not None else None
        seen = 0 if response.broken else response.status
        self.requests.append(RequestRecord(method, parts.path, dict(progress.pairs), seen, name, self.clock.now(), body))
        return response

    def _respond(self, method: str, origin: str, headers: Mapping[str, str], body: bytes, progress: _Progress, fault: Fault | None) -> Response:
        if self.faults.any and self._paging.has_expired(progress.pairs, fault):
            return Response(400, {"Content-Type": CONTENT_TYPE}, msgspec.json.encode({"errors": [EXPIRED.render()]}))
        if fault is None or fault.kind in _ON_ANSWERS or fault.processed:
            asked = progress.pairs
            progress.pairs = self._paging.question(fault, asked)
            answered = self._answer(method, origin, headers, body, progress)
            progress.pairs = asked
            if method == "GET" and answered.status == 200 and self.faults.any:
                answered = replace(answered, body=self._paging.answer(fault, asked, answered.body))
            return answered if fault is None else _spoiled(fault, answered)
        return _spoiled(fault, Response(200, {"Content-Type": CONTENT_TYPE}, b'{"data":[],"links":{"self":"","next":null,"prev":null}}'))

    def _answer(self, method: str, origin: str, headers: Mapping[str, str], body: bytes, progress: _Progress) -> Response:
        try:
            status, document = self._checked(method, origin, headers, body, progress)
        except RefusedError as refusal:
            status, document = refusal.status, refusal.body()
        except _ThrottledError as throttled:
            return _throttled(throttled.seconds)
        if document is None:
            return Response(status, progress.headers, b"")
        return Response(status, {"Content-Type": CONTENT_TYPE, **progress.headers}, msgspec.json.encode(document))

    def _checked(self, method: str, origin: str, headers: Mapping[str, str], body: bytes, progress: _Progress) -> tuple[int, dict[str, Any] | None]:
        key = self._key(headers.get("authorization"))
        found = progress.route or route(method, progress.path)
        _check_revision(headers.get("revision"))
        scopes = self.api_keys[key]
        if scopes is not None and not scopes.issuperset(found.operation.scopes):
            raise RefusedError(permission_denied(found.operation.scopes))
        if self._limits is not None:
            verdict = self._limits.check(key, found.name, rate_of(found.operation, queries.Query(progress.pairs)))
            if verdict.retry_after is not None:
                raise _ThrottledError(verdict.retry_after)
            progress.headers = verdict.headers
        if (refused := missing_entitlement(found.name, found.operation.path, self.entitlements)) is not None:
            raise RefusedError(refused)
        endpoint = ENDPOINTS.get(found.name)
        if endpoint is None:
            raise RefusedError(not_imitated(f"The sandbox does not imitate {found.name} ({method} {found.operation.path})."))
        query = queries.read(found.operation, progress.pairs)
        self._settle()
        call = Call(
            self.account,
            KINDS,
            found.name,
            found.operation,
            progress.path,
            origin,
            found.id,
            query,
            body,
            self.clock.now(),
            self._memory,
            headers.get("content-type", ""),
            self.visible_after,
            self.job_duration,
            self._schedule,
        )
        with call.account.lock:
            answer = endpoint.answer(call)
        if isinstance(answer, Replied):
            return answer.status, answer.document
        return (found.operation.reply.status if found.operation.reply else 200), answer

    def _key(self, authorization: str | None) -> str:
        if not authorization:
            raise RefusedError(NOT_AUTHENTICATED)
        scheme, _, key = authorization.partition(" ")
        if scheme != "Klaviyo-API-Key" or key not in self.api_keys:
            raise RefusedError(AUTHENTICATION_FAILED)
        return key

    def _schedule(self, seconds: float, write: Callable[[], None]) -> None:
        with self._lock:
            heapq.heappush(self._writes, (self.clock.monotonic() + seconds, next(self._scheduled), write))

    def _settle(self) -> None:
        """Carry out the writes that are due, in the order in which they became due."""
        if not self._writes:
            return
        # Always in this order: an endpoint schedules while it holds the account's lock.
        account = self.account
        with account.lock, self._lock:
            now = self.clock.monotonic()
            while self._writes and self._writes[0][0] <= now:
                # What turns out to be impossible by now is dropped without a word, since nobody waits for an answer.
                with suppress(RefusedError):
                    heapq.heappop(self._writes)[2]()


_ON_ANSWERS = frozenset(get_args(FaultKind)) - {"status", "throttle", "reset", "html", "wrong_shape"}
"""Faults that need the true answer."""


class _ThrottledError(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _check_revision(text: str | None) -> None:
    if text is None:
        raise RefusedError(invalid("The revision header is required.", parameter="revision"))
    current = date.fromisoformat(facts().revision)
    found = _REVISION.fullmatch(text)
    try:
        wanted = date.fromisoformat(found[1]) if found else None
    except ValueError:
        wanted = None
    if found is None or wanted is None or wanted > current or found[2]:
        raise RefusedError(invalid(f"{text!r} is not a revision of this API.", parameter="revision"))
    if wanted < current.replace(year=current.year - _REVISION_LIFE_IN_YEARS):
        raise RefusedError(Problem(410, "gone", "Gone.", f"The revision {text} is retired."))


def _throttled(seconds: int | None) -> Response:
    headers = {"Content-Type": CONTENT_TYPE} | ({} if seconds is None else {"Retry-After": str(seconds)})
    return Response(429, headers, msgspec.json.encode(throttled_body(seconds or 1)))


def _spoiled(fault: Fault, answered: Response) -> Response:
    spoiled = _unlike(fault, answered)
    return replace(spoiled, headers={**spoiled.headers, **fault.headers}) if fault.headers else spoiled


def _unlike(fault: Fault, answered: Response) -> Response:
    page = b"<!doctype html>\n<html><head><title>Sorry</title></head><body><h1>Something went wrong</h1></body></html>\n"
    cut = max(1, len(answered.body) * 2 // 3)
    match fault.kind:
        case "throttle":
            return _throttled(fault.retry_after)
        case "reset" | "truncated" | "short_length" | "long_length":
            return replace(answered, broken=fault.kind)
        case "trickle":
            return replace(answered, pause=fault.seconds)
        case "truncated_gzip":
            compressed = gzip.compress(answered.body, 1)
            return replace(answered, body=compressed[: len(compressed) // 2], headers={**answered.headers, "Content-Encoding": "gzip"})
        case "html":
            return Response(200, {"Content-Type": "text/html; charset=utf-8"}, page)
        case "wrong_shape":
            return replace(answered, body=b'{"rows":[{"id":1}],"data":"none"}')
        case "broken_json":
            return replace(answered, body=answered.body[:cut])
        case "bad_utf8":
            return replace(answered, body=answered.body.replace(b'"id":"', b'"id":"\xff', 1))
        case "status" if fault.body == "html":
            return Response(fault.status, {"Content-Type": "text/html; charset=utf-8"}, page)
        case "status":
            problem = Problem(fault.status, "error", "A server error occurred.", "Something went wrong.")
            return Response(fault.status, {"Content-Type": CONTENT_TYPE}, msgspec.json.encode({"errors": [problem.render()]}))
    return answered
