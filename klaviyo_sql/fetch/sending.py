"""Writes on their way: requests side by side, and of every row what became of it.

Klaviyo has no transactions. What was carried out before something failed stays carried out; each change tells.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import msgspec

from klaviyo_sql import contract, errors
from klaviyo_sql.fetch.audit import Audit
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.client import Client, Reply
from klaviyo_sql.fetch.refusals import element_of, said_in
from klaviyo_sql.fetch.waiting import SLICE
from klaviyo_sql.fetch.workers import Workers
from klaviyo_sql.model.request import Request
from klaviyo_sql.write.changes import Conflict, Kind, Status
from klaviyo_sql.write.shipment import Shipment

_SETTLE_SECONDS = 10.0  # how long what is under way is waited for, after somebody interrupted

Answered = Callable[[int], None]
"""Told after each answer, with how many requests more there are because of it."""
Look = Callable[[Shipment], bool]
"""Looks whether what a shipment was to create is there, when its reply was lost: True when it is, False when it may be sent again; errors.OutcomeUnknown."""


@dataclass(slots=True)
class _Outcome:
    shipment: Shipment
    reply: Reply | None = None
    error: BaseException | None = None


class Sender:
    """Sends the shipments of one account, as many side by side as `parallel` says.

    `poll` is called while it waits, and raises to end it: what is under way is waited for some seconds longer, for its outcome counts. With `go_on` a row
    that is refused does not keep the others from being sent. `answered` is told of each answer.
    """

    def __init__(
        self,
        client: Client,
        workers: Workers,
        *,
        parallel: int,
        poll: Callable[[], None],
        budget: Budget,
        audit: Audit | None,
        go_on: bool,
        answered: Answered = lambda more: None,
    ) -> None:
        self._client = client
        self._workers = workers
        self._parallel = parallel
        self._poll = poll
        self._budget = budget
        self._audit = audit
        self._go_on = go_on
        self._answered = answered

    def send(self, stage: Sequence[Shipment], look: Look) -> None:
        """Send what is side by side, and note what became of each row.

        The first exception that is about more than a row (no key, no server, an interrupt) is raised when everything under way has come back; of rows that
        fail the changes tell.
        """
        waiting = deque(stage)
        under_way: list[Shipment] = []
        unwanted = threading.Event()
        try:
            stopped = self._send(waiting, under_way, look, unwanted)
        finally:  # whatever ended it, what was sent and not answered is not told to be anything else
            unwanted.set()
            for shipment in under_way:
                _all(shipment, Status.UNKNOWN, "It was sent, and the statement ended before Klaviyo answered.")
        for shipment in waiting:
            _all(shipment, Status.NOT_SENT, "It was not sent, because an earlier row could not be written." if _is_about_rows(stopped) else "It was not sent.")
        if stopped is not None and not isinstance(stopped, _StoppedError):
            raise stopped

    def _send(self, waiting: deque[Shipment], under_way: list[Shipment], look: Look, unwanted: threading.Event) -> BaseException | None:
        """Send what waits until all is answered, or something ends it, which is returned; what nobody waits for any longer is left under way."""
        outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        stopped: BaseException | None = None
        while waiting or under_way:
            while waiting and len(under_way) < self._parallel and stopped is None:
                shipment = waiting.popleft()
                under_way.append(shipment)
                self._start(shipment, outcomes, unwanted)
            if not under_way:
                break
            outcome = self._next(outcomes) if stopped is None else self._last(outcomes)
            if isinstance(outcome, BaseException):
                stopped = outcome
                continue
            if outcome is None:  # nobody waits any longer
                break
            again: tuple[Shipment, ...] = ()
            try:
                again = tuple(self._settle(outcome, look))
            except (errors.Error, KeyboardInterrupt) as error:
                stopped = stopped or error
            under_way.remove(outcome.shipment)
            waiting.extendleft(again)
            self._answered(len(again))
            if not self._go_on and any(change.error and change.conflict is not Conflict.IGNORE for change in outcome.shipment.changes):
                stopped = stopped or _StoppedError("an earlier row could not be written")
        return stopped

    def _start(self, shipment: Shipment, outcomes: SimpleQueue[_Outcome], unwanted: threading.Event) -> None:
        def job() -> None:
            try:
                outcomes.put(_Outcome(shipment, self._exchanged(shipment.request)))
            except BaseException as error:
                outcomes.put(_Outcome(shipment, error=error))

        if self._parallel == 1:
            job()
        else:
            self._workers.run(job, unwanted)

    def _exchanged(self, request: Request) -> Reply:
        """One write, noted in the audit file if there is one."""
        try:
            reply = self._client.send(request, cache=False, budget=self._budget)
        except BaseException as error:
            if self._audit is not None:
                self._audit.write(request, getattr(error, "status", None), error=str(error) if isinstance(error, errors.Error) else type(error).__name__)
            raise
        if self._audit is not None:
            self._audit.write(request, reply.status)
        return reply

    def _next(self, outcomes: SimpleQueue[_Outcome]) -> _Outcome | BaseException:
        """The next outcome, or what ends the waiting; ^C does not end what is under way, for its outcome has to be known."""
        while True:
            try:
                return outcomes.get(timeout=SLICE)
            except KeyboardInterrupt as stop:
                return stop
            except Empty:
                try:
                    self._poll()
                    self._budget.check_time("")
                except errors.Error as error:
                    return error

    def _last(self, outcomes: SimpleQueue[_Outcome]) -> _Outcome | None:
        try:
            return outcomes.get(timeout=_SETTLE_SECONDS)
        except (Empty, KeyboardInterrupt):  # a second ^C
            return None

    def _settle(self, outcome: _Outcome, look: Look) -> Iterable[Shipment]:
        """What became of the rows of a shipment; what has to be sent again, in smaller parts."""
        shipment, error = outcome.shipment, outcome.error
        for change in shipment.changes:
            change.operation = shipment.request.operation
        if outcome.reply is not None:
            if _tells_nothing(shipment, outcome.reply):
                return self._unclear(shipment, errors.OutcomeUnknown(f"Klaviyo took {shipment.request.operation} and did not say what it made of it."), look)
            _accept(shipment, outcome.reply)
            return ()
        if isinstance(error, errors.OutcomeUnknown):
            return self._unclear(shipment, error, look)
        if isinstance(error, errors.RequestRejected):
            return self._refused(shipment, error)
        is_known = isinstance(error, errors.Error) and not isinstance(error, errors.Interrupted)
        said = str(error) if isinstance(error, errors.Error) else f"It was interrupted while Klaviyo was asked ({type(error).__name__})."
        _all(shipment, Status.FAILED if is_known else Status.UNKNOWN, said)
        if error is not None:
            raise error
        return ()

    def _unclear(self, shipment: Shipment, error: errors.OutcomeUnknown, look: Look) -> Iterable[Shipment]:
        """The reply was lost: what was to be created may be there."""
        try:
            if look(shipment):
                _all(shipment, Status.DONE)
                return ()
            if not shipment.looked:
                shipment.looked = True
                return (shipment,)
        except errors.OutcomeUnknown:
            pass
        _all(shipment, Status.UNKNOWN, str(error))
        return ()

    def _refused(self, shipment: Shipment, error: errors.RequestRejected) -> Iterable[Shipment]:
        """Klaviyo refused the request: of many rows the bad ones are found, and the others sent without them if they are to be."""
        if error.status == 404 and all(change.kind is Kind.DELETE for change in shipment.changes) and len(shipment.elements) == 1:
            _all(shipment, Status.ABSENT)
            return ()
        if error.status == 404 and not shipment.is_many and (key := next(shipment.changes).key):
            _all(shipment, Status.FAILED, f"{shipment.request.table} has no row {key[-1]!r}.")
            return ()
        if len(shipment.elements) == 1:
            _all(shipment, Status.FAILED, str(error))
            return ()
        pointed = ((element_of(reason), said_in(reason)) for reason in error.errors)
        bad = {number: text for number, text in pointed if number is not None and number < len(shipment.elements)}
        if bad and error.status == 400:
            for number, text in bad.items():
                for change in shipment.elements[number]:
                    change.failed(text)
            good = [number for number in range(len(shipment.elements)) if number not in bad]
            if not good:
                return ()
            rest = shipment.only(good)
            if self._goes_on(rest):
                return (rest,)
            _all(rest, Status.NOT_SENT, "It was not sent, because Klaviyo refuses the whole request for another row.")
            return ()
        if self._goes_on(shipment) and error.status != 413 and len(shipment.elements) > 1:
            half = len(shipment.elements) // 2
            return (shipment.only(range(half)), shipment.only(range(half, len(shipment.elements))))
        _all(shipment, Status.FAILED, str(error))
        return ()

    def _goes_on(self, shipment: Shipment) -> bool:
        return self._go_on or all(change.conflict is Conflict.IGNORE for change in shipment.changes)


class _StoppedError(errors.Error):
    """A row failed, and the rest is not to be sent."""


def _is_about_rows(stopped: BaseException | None) -> bool:
    return stopped is None or isinstance(stopped, _StoppedError)


def _all(shipment: Shipment, status: Status, error: str | None = None) -> None:
    for change in shipment.changes:
        change.status, change.error = status, error


def _accept(shipment: Shipment, reply: Reply) -> None:
    """Klaviyo took it: what it says of new ids and of jobs."""
    found = _identifier(reply.body)
    starts_job = (shipment.is_many or shipment.job is not None) and shipment.request.method == "POST" and reply.status == 202
    for change in shipment.changes:
        change.error = None
        change.status = Status.ACCEPTED if reply.status == 202 else Status.DONE
        change.reply = reply.body if shipment.told else None
        if starts_job:
            change.job = found
        elif shipment.creates and found is not None:
            change.key = (found,)


def _tells_nothing(shipment: Shipment, reply: Reply) -> bool:
    """Whether a reply that should tell the id of a new row does not."""
    described = contract.operation(shipment.request.operation).reply
    expected = shipment.creates and not shipment.is_many and described is not None and described.schema is not None
    return expected and _identifier(reply.body) is None


def _identifier(body: bytes) -> str | None:
    try:
        document = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return None
    data = document.get("data") if isinstance(document, dict) else None
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else None
