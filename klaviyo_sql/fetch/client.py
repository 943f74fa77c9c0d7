"""The one way to Klaviyo: cache, limits, the request itself, retries, refusals, log."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from klaviyo_sql import contract, errors
from klaviyo_sql.fetch import retries
from klaviyo_sql.fetch.address import Address
from klaviyo_sql.fetch.bodies import Body, Packed, inflated, received, size
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.cache import ReplyCache
from klaviyo_sql.fetch.connections import Connections, closed
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.fetch.key import Key
from klaviyo_sql.fetch.ledger import Admission
from klaviyo_sql.fetch.limits import Limits, shared_limits
from klaviyo_sql.fetch.log import RequestLog, RequestRecord
from klaviyo_sql.fetch.meter import Delay
from klaviyo_sql.fetch.operations import is_read
from klaviyo_sql.fetch.refusals import reasons_in, refusal, subject, told
from klaviyo_sql.fetch.retries import Failure, Trouble
from klaviyo_sql.fetch.turns import Patience, admitted
from klaviyo_sql.fetch.uploads import body_of
from klaviyo_sql.fetch.waiting import stop_if, wait
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.model.request import Request

_MEDIA_TYPE = "application/vnd.api+json"
_CONNECT_SECONDS = 10.0
_WHOLE_REPLY = 5  # times the timeout: a body that trickles is never silent, and would never end


@dataclass(frozen=True, slots=True)
class Reply:
    """What Klaviyo answered: `cached` when it was not asked again; `record.rows` is for whoever decodes it."""

    status: int
    content: Body
    """The body, still packed perhaps if it was asked for so."""
    cached: bool
    record: RequestRecord

    @property
    def body(self) -> bytes:
        """The body, decompressed; httpx.DecodingError when it was packed and cannot be."""
        return inflated(self.content)


@dataclass(frozen=True, slots=True)
class _Errand:
    """A request on its way through the tries: whether it only reads, which statuses mean absence, and the record of it all."""

    request: Request
    url: httpx.URL
    read: bool
    absent_statuses: frozenset[int]
    record: RequestRecord
    interrupted: Callable[[], bool]
    budget: Budget
    queue: object
    patience: Patience
    packed: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    """One reply as it came, whatever its status."""

    status: int
    headers: httpx.Headers
    body: Body


class Client:
    """Sends requests to one account; every method may be called from any thread.

    `base_url` is https (http for loopback hosts). `timeout` is the seconds that Klaviyo may stay silent (connecting: 10), five times as long a reply
    may take altogether. `cache_seconds` and `cache_bytes` bound the reply cache (0: none), `attempts` is how often a request is tried when it fails.
    `max_wait` is the most seconds that one request waits for a limit to have room, and for all of Klaviyo's refusals together; standing in line at
    a limit does not count, and a long scan waits longer altogether, at the pace that the limits allow. `limits` is by default the process-wide one
    of this `base_url` and key; with a `state_folder` it is that of all processes of the machine which have the same. `interrupted` is polled every
    50 ms during waits. `log_size` bounds the log, in records, unless it is a `log` that is shared with clients of other accounts. `account` is the
    account's name in the settings, and `no_key` what to say when it has no key. `chance` returns random numbers in [0, 1) for the jitter.

    InterfaceError when `base_url` cannot be used. Nothing is connected before the first request.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        timeout: float = 60.0,
        cache_seconds: float = 60.0,
        cache_bytes: int = 32 * 2**20,
        max_wait: float = 120.0,
        attempts: int = 5,
        limits: Limits | None = None,
        state_folder: Path | None = None,
        interrupted: Callable[[], bool] = lambda: False,
        log_size: int = 10_000,
        log: RequestLog | None = None,
        account: str | None = None,
        no_key: str | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._key = Key(api_key, no_key)
        self._account = account
        self._address = Address(base_url)
        self._clock = clock or (limits.clock if limits else SystemClock())
        self._whole_reply = timeout * _WHOLE_REPLY
        self._cache = ReplyCache(seconds=cache_seconds, size=cache_bytes, clock=self._clock)
        self._max_wait = max_wait
        self._attempts = max(1, attempts)
        self._interrupted = interrupted
        self._chance = chance
        self._connections = Connections(httpx.Timeout(timeout, connect=_CONNECT_SECONDS), transport)
        self.limits = limits or shared_limits(str(self._address), self._key.digest, self._clock, state_folder)
        self.log = RequestLog(log_size) if log is None else log
        self.renew()
        renew_after_fork(self)

    def __repr__(self) -> str:
        return f"<klaviyo_sql.fetch.Client of {self._address}{', closed' if self._connections.is_closed else ''}>"

    @property
    def account(self) -> str:
        """What tells the account from others without telling the key."""
        return hashlib.sha256(f"{self._address}\n{self._key.digest}".encode()).hexdigest()

    def renew(self) -> None:
        """Start anew in a forked child: the parent's connections are the parent's."""
        self._connections.renew()

    def send(
        self,
        request: Request,
        *,
        absent_statuses: frozenset[int] = frozenset(),
        cache: bool = True,
        interrupted: Callable[[], bool] | None = None,
        queue: object = None,
        budget: Budget | None = None,
        packed: bool = False,
    ) -> Reply:
        """Klaviyo's reply: any 2xx, or a status in `absent_statuses` (such as 404 where that means no row).

        `cache=False` neither reads the cache nor fills it. A request that changes something empties it. While Klaviyo is silent the thread
        is blocked; `interrupted` (default: the client's) is heard before every try, in every wait, and between the pieces of a reply.
        `queue` is whoever sends many requests, such as a scan: at a limit queues take turns (default: the client is one). Every try counts for the
        `budget`. A long reply may stay `packed`: then nobody has looked yet whether it can be inflated.

        AuthenticationError without a usable key, before anything is sent; PermissionDenied, RequestRejected and OperationalError by what
        Klaviyo answers or what happens on the way; RateLimitError when `max_wait` would be exceeded, at once; BudgetExceeded; StatementTimeout;
        Interrupted.
        """
        if self._connections.is_closed:
            raise closed()
        read = is_read(request.operation)
        record = RequestRecord(
            started_at=self._clock.now(),
            operation=request.operation,
            table=request.table,
            method=request.method,
            path=request.path,
            query=_query(request, read=read),
            account=self._account,
        )
        self._key.check()
        found = self._cache.get(request) if cache and read else None
        if found is not None:
            record.status, record.cached, record.bytes = found[0], True, size(found[1])
            self.log.append(record)
            return Reply(found[0], found[1], True, record)
        generation = self._cache.generation
        try:
            url, patience = self._address.url(request.target), Patience(self._max_wait)
            errand = _Errand(request, url, read, absent_statuses, record, interrupted or self._interrupted, budget or Budget(), queue or self, patience, packed)
            answer = self._answer(errand)
        except errors.Error as error:
            record.error = str(error)
            raise
        except BaseException as error:
            record.error = type(error).__name__  # KeyboardInterrupt, say: its text is not ours to keep
            raise
        finally:
            if not read:
                self._cache.clear()
            self.log.append(record)
        if cache and read and answer.status not in absent_statuses:
            self._cache.put(request, answer.status, answer.body, generation)
        return Reply(answer.status, answer.body, False, record)

    def following(self, request: Request, url: str) -> Request:
        """The request for the next page, by the `links.next` of the reply to `request`.

        OperationalError when the link leads anywhere but to the configured server; nothing is sent then.
        """
        path, parameters = self._address.followed(url)
        return dataclasses.replace(request, path=path, parameters=parameters)

    def garbage(self, request: Request, reason: str) -> errors.OperationalError:
        """The exception for a reply that turned out not to be what Klaviyo sends; its body leaves the cache.

        Who decodes replies may ask once more with `send(request, cache=False)` before raising it.
        """
        self._cache.discard(request)
        text = f"Klaviyo's reply to {subject(request)} cannot be used: {reason.rstrip('.')}."
        return told(errors.OperationalError(self._key.concealed(text)), request)

    def refused(self, request: Request, reply: Reply) -> errors.Error:
        """The exception for a reply whose status was let through by `absent_statuses`, but whose body tells of something else."""
        error = refusal(request, reply.status, reply.body)
        reply.record.error = str(error)
        return error

    def forget(self) -> None:
        """Empty the cache, so that the next statement sees Klaviyo as it is."""
        self._cache.clear()

    def close(self) -> None:
        """Close the connections; sending is an InterfaceError from now on. A transport that was passed in stays open: others may use it."""
        self._connections.close()
        self._cache.clear()

    def _answer(self, errand: _Errand) -> _Answer:
        """Try until there is an answer to return or an exception to raise."""
        request, record, read = errand.request, errand.record, errand.read
        tried = refused = failed = 0
        content = body_of(request)
        while True:
            errand.budget.send(request.table)
            admission = self._admitted(errand, refused)
            record.retries = tried
            tried += 1
            outcome = self._exchanged(errand, admission, content)
            if isinstance(outcome, _Answer) and outcome.status == 429:
                refused += 1
                asked = self._asked_to_wait(outcome.headers)
                jitter = retries.backoff(refused, self._chance())
                # Never no wait at all: a server that says 0 each time would be asked without end.
                self.limits.block(request.operation, max(asked or 0.0, retries.BASE) + jitter)
                continue
            if isinstance(outcome, _Answer):
                if 200 <= outcome.status < 300 or outcome.status in errand.absent_statuses:
                    return outcome
                raise refusal(request, outcome.status, inflated(outcome.body), _host(outcome.headers.get("location", "")))
            failed += 1
            if not retries.may_repeat(outcome.trouble, read=read or request.repeatable) or failed >= retries.tries(outcome.trouble, self._attempts):
                raise self._given_up(request, outcome, tried, read=read)
            pause = retries.backoff(failed, self._chance())
            if outcome.retry_after is not None:
                pause += outcome.retry_after
                if errand.patience.spent + outcome.retry_after > self._max_wait:
                    raise self._given_up(request, outcome, tried, read=read)
            self._wait(pause, errand)

    def _admitted(self, errand: _Errand, refused: int) -> Admission:
        """Wait until the limits let the request go, or RateLimitError when that takes longer than may be waited."""
        began = self._clock.monotonic()
        try:
            verdict = admitted(self.limits, errand.request, errand.queue, errand.patience, errand.interrupted)
        finally:
            errand.record.waited_ms += (self._clock.monotonic() - began) * 1000
        if isinstance(verdict, Delay):
            raise self._too_long(errand.request, verdict, refused)
        return verdict

    def _exchanged(self, errand: _Errand, admission: Admission, content: dict[str, Any]) -> _Answer | Failure:
        """Send once, and block the thread until Klaviyo answers or the timeout is over.

        Who wants many requests under way has many threads send: limits, cache, log and connections are made for that.
        """
        outcome: _Answer | Failure
        request, record = errand.request, errand.record
        began = self._clock.monotonic()
        answered: httpx.Headers | None = None
        unsent = False
        try:
            with (
                self._connections.one() as connection,
                connection.stream(request.method, errand.url, headers=_headers(request), auth=self._key.sign, **content) as response,
            ):
                answered = response.headers
                body = self._received(response, errand)
            outcome = _Answer(response.status_code, response.headers, body if response.is_success else self._key.concealed_in(inflated(body)))
        except RuntimeError:
            if not self._connections.is_closed:
                raise
            unsent = True  # another thread closed the connections in between, which httpx tells so
            raise closed() from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            outcome = retries.classified(error)
            unsent = outcome.trouble in (Trouble.UNREACHABLE, Trouble.CERTIFICATE, Trouble.BROKEN)
        finally:
            record.milliseconds += (self._clock.monotonic() - began) * 1000
            if unsent:
                self.limits.unsent(admission)
            else:
                remaining = self.limits.answered(admission, answered)
                record.remaining = record.remaining if remaining is None else remaining
        if isinstance(outcome, Failure):
            record.status, record.bytes = None, 0
            return outcome
        record.status, record.bytes = outcome.status, size(outcome.body)
        if outcome.status in errand.absent_statuses:
            return _unless_garbage(outcome, may_be_empty=True)
        if 200 <= outcome.status < 300:
            return _unless_garbage(outcome, may_be_empty=not errand.read or outcome.status == 204)
        if outcome.status in retries.PASSING_STATUSES:
            asked = self._asked_to_wait(outcome.headers)
            return Failure(Trouble.UNAVAILABLE, f"Klaviyo answered {outcome.status}", outcome.status, inflated(outcome.body), asked)
        return outcome

    def _received(self, response: httpx.Response, errand: _Errand) -> Body:
        """The whole body. By the machine's clock: a simulated one runs ahead while other threads wait."""
        ends = time.monotonic() + self._whole_reply

        def between() -> None:
            stop_if(errand.interrupted)
            if time.monotonic() > ends:
                raise httpx.ReadTimeout("the reply trickles in")

        return received(response, between, packed=errand.packed and response.is_success)

    def _asked_to_wait(self, headers: httpx.Headers) -> float | None:
        return retries.retry_after(headers.get("retry-after"), retries.now_by(headers.get("date"), self._clock.now()))

    def _wait(self, seconds: float, errand: _Errand) -> None:
        began = self._clock.monotonic()
        try:
            wait(self._clock, seconds, errand.interrupted)
        finally:
            waited = self._clock.monotonic() - began
            errand.record.waited_ms += waited * 1000
            errand.patience.spent += waited

    def _too_long(self, request: Request, delay: Delay, refused: int) -> errors.RateLimitError:
        again = timestamps.ceiling(self._clock.now() + timedelta(seconds=delay.seconds))
        said = f" Klaviyo answered 429 {_times(refused)}." if refused else ""
        text = (
            f"Klaviyo's limit for {subject(request)} is used up ({delay.limit}) until {timestamps.to_sql(again)} UTC, "
            f"in {_lasting(delay.seconds)}, which is longer than may be waited (max_wait is {self._max_wait:g} s).{said}"
        )
        return told(errors.RateLimitError(text), request, 429 if refused else None, returns_at=again)

    def _given_up(self, request: Request, failure: Failure, tried: int, *, read: bool) -> errors.OperationalError:
        about = subject(request)
        tries = "1 try" if tried == 1 else f"{tried} tries"
        what = self._key.concealed(failure.text)
        if failure.trouble is Trouble.UNREACHABLE:
            text = f"Klaviyo cannot be reached at {self._address.host}: {what} ({about}, {tries})."
        elif failure.trouble is Trouble.CERTIFICATE:
            text = (
                f"The certificate of {self._address.host} is not trusted, so the key was not sent: {what} ({about}). "
                "If a company proxy inspects the traffic, name its certificates in the environment variable SSL_CERT_FILE."
            )
        elif failure.trouble is Trouble.BROKEN:
            text = f"{about} could not be sent: {what}."
        else:
            text = f"{about} failed after {tries}: {what}."
            if failure.trouble is Trouble.GARBAGE:
                text += f" Did a proxy or a captive portal answer instead of Klaviyo? Is {self._address} right?"
            if failure.retry_after is not None:
                again = timestamps.ceiling(self._clock.now() + timedelta(seconds=failure.retry_after))
                text += f" Klaviyo asks to come back at {timestamps.to_sql(again)} UTC."
            if not read:
                warning = "" if request.repeatable else " It was not repeated, because it may have been carried out: look before it is sent again."
                return told(errors.OutcomeUnknown(text + warning), request, failure.status, reasons_in(failure.body))
        return told(errors.OperationalError(text), request, failure.status, reasons_in(failure.body))


def _unless_garbage(answer: _Answer, *, may_be_empty: bool) -> _Answer | Failure:
    """The answer, if its body looks like a JSON object from its first to its last byte; what lies between, or is packed, is for the decoder."""
    body = answer.body
    if isinstance(body, Packed):
        return answer
    if body[:1] == b"{" and body[-1:] == b"}":
        return answer
    stripped = body.strip()
    if (stripped[:1] == b"{" and stripped[-1:] == b"}") or (may_be_empty and not stripped):
        return answer
    if not stripped:
        text = f"the reply ({answer.status}) was empty"
    elif stripped[:1] == b"{":
        text = f"the reply ({answer.status}) was cut off after {len(body)} bytes"
    else:
        text = f"the reply ({answer.status}) was not Klaviyo's JSON"
    return Failure(Trouble.GARBAGE, text, answer.status)


def _query(request: Request, *, read: bool) -> str:
    """The parameters as a person would write them, and the question of a POST that asks.

    A write's body stays out: it may be megabytes of other people's data.
    """
    query = "&".join(f"{name}={value}" for name, value in request.parameters)
    if read and request.body is not None:
        query += (" " if query else "") + msgspec.json.encode(request.body).decode()
    return query


def _host(location: str) -> str:
    """Scheme and host of a redirect, for the message: its path and query may hold what is not for a log."""
    try:
        url = httpx.URL(location)
    except httpx.InvalidURL:
        return ""
    return f"{url.scheme}://{url.host}" if url.host else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _lasting(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _headers(request: Request) -> dict[str, str]:
    headers = {
        "revision": contract.facts().revision,
        "User-Agent": _user_agent(),
        "Accept": _MEDIA_TYPE,
        "Accept-Encoding": "gzip",
    }
    if request.body is not None and request.upload is None:  # a form's type is told with it
        headers["Content-Type"] = _MEDIA_TYPE
    return headers


@functools.cache
def _user_agent() -> str:
    try:
        version = importlib.metadata.version("klaviyo-sql")
    except importlib.metadata.PackageNotFoundError:
        version = "0"  # run from a source tree that is not installed
    return f"klaviyo-sql/{version} (python)"
