"""Third verb: due events are posted; what the platform answered decides their state.

Faults are sorted by who must act.  The clock of retries belongs to the destination, not to
each event: an outage costs one probe an interval, not a million timers.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bridge import net, registry
from bridge.events import BridgeError, ConfigError, Endpoint, Outcome, Receipt, Request, Response
from bridge.store import Claim, Claimed, Destination, Lane, Settled, Store, StoreError

# Events a request, healthy and after one, two and more failures in a row.  A hundred are few
# enough that finding a bad one is cheap; an outage is probed with one.
BATCHES = (100, 50, 10, 1)
BACKOFF_S = (2, 10, 30, 120, 300, 900, 1800, 3600)
AMBIGUOUS_S = 5
PROBE_PARKED_S = 900
PROBE_ANOTHER_S = 7200
MAX_REQUESTS = 64  # a claim that splits further goes on at the next turn
MAX_TURN_S = 90  # well within the lease of 120 seconds
PARK_AFTER = 3  # failures in a row, where a 4xx tells nothing: somebody must look
SAME_FAULT_LIMIT = 5  # so many single events refused alike: the dataset is at fault, not they
EVERY_EVENT_REFUSED = "every_event_refused"
SETTLE_AGAIN_S = 1.0

Post = Callable[[Request], Response]
Part = tuple[str, list[Claimed]]  # test event code, events of one request
log = logging.getLogger(__name__)


def _never() -> bool:
    return False


@dataclass
class _Turn:
    """What is known while one claim is worked off."""

    claim: Claim
    destination: Destination
    should_stop: Callable[[], bool] = _never
    started: float = field(default_factory=time.monotonic)
    requests: int = 0
    accepted: int = 0
    suspected: bool = False
    halted: bool = False

    def is_late(self) -> bool:
        return time.monotonic() - self.started > MAX_TURN_S

    def is_over(self) -> bool:
        spent = self.requests >= MAX_REQUESTS or self.is_late()
        return self.halted or spent or self.should_stop()

    def refuses_everything(self) -> bool:
        """Whether the destination was parked because no event pleased it."""
        parked = self.destination.state == "parked"
        return parked and self.destination.reason.startswith(EVERY_EVENT_REFUSED)


class Sender:
    """Sends what is due.  *post* carries a request out; it may raise what `net.send` raises.

    Several threads may share one: each takes another destination, so that a slow one delays
    no other.
    """

    def __init__(self, store: Store, endpoint: Endpoint, post: Post = net.send) -> None:
        self._store = store
        self._endpoint = endpoint
        self._post = post
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        # destination id -> reason, how many single events in a row were refused for it
        self._refused: dict[int, tuple[str, int]] = {}

    def send_due(self, should_stop: Callable[[], bool] = _never) -> int:
        """Send one claim of each lane that has something due; return how many were accepted."""
        self._store.outbox.recover(self._store.now())
        accepted = 0
        for lane in self._store.outbox.lanes(self._store.now()):
            if should_stop():
                break
            if self._take(lane.destination_id):
                try:
                    accepted += self.send_lane(lane, should_stop)
                finally:
                    self._busy.discard(lane.destination_id)
        return accepted

    def _take(self, destination_id: int) -> bool:
        with self._lock:
            free = destination_id not in self._busy
            self._busy.add(destination_id)
        return free

    def send_lane(self, lane: Lane, should_stop: Callable[[], bool] = _never) -> int:
        """Claim and send once for *lane*; return how many events were accepted."""
        try:
            turn = self._begin(lane, should_stop)
        except ConfigError as error:
            # A missing adapter or key: the other destinations shall not suffer for it.
            log.error(
                "destination.unusable",
                extra={"destination": lane.destination_id, "reason": str(error)},
            )
            next_at = self._store.now() + PROBE_PARKED_S * 1_000_000
            self._store.outbox.park(lane.destination_id, "settings", next_at=next_at)
            return 0
        if turn is None:
            return 0
        self._work_off(turn, self._parts(turn))
        return turn.accepted

    def _begin(self, lane: Lane, should_stop: Callable[[], bool]) -> _Turn | None:
        """Claim what may be sent now; None if that is nothing."""
        outbox, now = self._store.outbox, self._store.now()
        destination = self._store.connections.destination(str(lane.destination_id))
        if destination.state not in {"active", "parked"} or destination.next_at > now:
            return None  # its other lane, another worker or its operator was quicker
        adapter = registry.destination(destination.kind)
        limit = min(_limit(destination), adapter.max_batch)
        claim = outbox.claim(lane, limit, now)
        while claim.retired and not claim.events and not should_stop():
            claim = outbox.claim(lane, limit, self._store.now())
        turn = _Turn(claim=claim, destination=destination, should_stop=should_stop)
        if claim.events and _is_probe(destination) and not outbox.take_probe(destination, now):
            outbox.give_back(claim, [event.id for event in claim.events], now)
            return None
        return turn if claim.events else None

    def _parts(self, turn: _Turn) -> list[Part]:
        """Return the events by the test event code of their route; live events have none."""
        claim = turn.claim
        if claim.lane.mode == "live":
            return [("", list(claim.events))]
        codes = {
            route.source_id: route.test_event_code
            for route in self._store.connections.routes()
            if route.destination_id == claim.lane.destination_id
        }
        groups: dict[str, list[Claimed]] = {}
        for event in claim.events:
            groups.setdefault(codes.get(event.source_id, ""), []).append(event)
        if without := groups.pop("", None):
            # Sent without its code a test event would count as a real one.
            receipt = Receipt(outcome=Outcome.REFUSED, reason="no_test_event_code")
            self._settle(turn, without, receipt, self._store.now(), 0)
        return list(groups.items())

    def _work_off(self, turn: _Turn, parts: list[Part]) -> None:
        """Post the parts; halve what is refused until the bad events stand alone."""
        while parts and not turn.is_over():
            code, part = parts.pop()
            sent_at, started = self._store.now(), time.monotonic()
            receipt = self._request(turn, code, part)
            turn.requests += 1
            duration_ms = int((time.monotonic() - started) * 1000)
            _log_answer(turn, receipt, len(part), duration_ms)
            refused = receipt.outcome in {Outcome.REFUSED, Outcome.TOO_LARGE}
            splits = refused and len(part) > 1
            self._settle(turn, part, receipt, sent_at, duration_ms, splits=splits)
            if splits:
                half = len(part) // 2
                parts += [(code, part[half:]), (code, part[:half])]
            self._move_lane(turn, receipt, parts, single=len(part) == 1)
        rest = [event.id for _, part in parts for event in part]
        if rest:
            self._store.outbox.give_back(turn.claim, rest, self._store.now())

    def _request(self, turn: _Turn, code: str, part: Sequence[Claimed]) -> Receipt:
        adapter = registry.destination(turn.destination.kind)
        payloads = [event.payload for event in part]
        settings = turn.destination.settings
        try:
            request = adapter.request(payloads, settings, self._endpoint, code)
        except ConfigError as error:
            return Receipt(outcome=Outcome.PARKED, reason="settings", message=str(error))
        except Exception as error:  # noqa: BLE001  halving finds the event that it falls over
            return Receipt(outcome=Outcome.REFUSED, reason="unsendable", message=_words(error))
        try:
            return adapter.read(self._post(request), len(part))
        except net.Untrusted as error:
            return Receipt(outcome=Outcome.RETRY, reason="certificate", message=str(error))
        except net.NotSent as error:
            return Receipt(outcome=Outcome.RETRY, reason="not_sent", message=str(error))
        except Exception as error:  # noqa: BLE001  whatever it was, the events may be in
            return Receipt(outcome=Outcome.AMBIGUOUS, reason="no_answer", message=_words(error))

    def _settle(
        self,
        turn: _Turn,
        part: Sequence[Claimed],
        receipt: Receipt,
        sent_at: int,
        duration_ms: int,
        *,
        splits: bool = False,
    ) -> None:
        """Store the answer.  What is not stored is sent again, so a busy database is awaited."""
        while True:
            try:
                now = self._store.now()
                alone = len(part) == 1
                settled = [
                    _end_of(turn, event, receipt, now, alone=alone)
                    for event in (() if splits else part)
                ]
                kept = self._store.outbox.settle(
                    turn.claim,
                    settled,
                    receipt,
                    events=len(part),
                    sent_at=sent_at,
                    duration_ms=duration_ms,
                    now=now,
                )
                break
            except StoreError as error:
                if turn.is_late():
                    raise
                log.warning("outbox.settle_again", extra={"reason": str(error)})
                time.sleep(SETTLE_AGAIN_S)
        if kept < len(settled):
            log.warning("outbox.lease_lost", extra={"events": len(settled) - kept})

    def _move_lane(self, turn: _Turn, receipt: Receipt, parts: list[Part], *, single: bool) -> None:
        """Open, slow down or park the destination by the answer."""
        destination = turn.destination
        match receipt.outcome:
            case Outcome.ACCEPTED | Outcome.DOUBTFUL:
                turn.accepted += receipt.accepted or 0
                turn.suspected = False
                self._refused.pop(destination.id, None)
                self._open(turn)
            case Outcome.REFUSED | Outcome.TOO_LARGE:
                self._judge_refusal(turn, receipt, parts, single=single)
            case Outcome.PARKED:
                self._park(turn, receipt.reason)
            case Outcome.RETRY if _parks(turn, receipt):
                self._park(turn, receipt.reason)
            case _:
                turn.halted = True
                first = AMBIGUOUS_S if receipt.outcome is Outcome.AMBIGUOUS else 0
                delay = max(first, _backoff_s(destination.failures), receipt.retry_after_s or 0)
                self._store.outbox.slow_down(
                    destination.id,
                    next_at=self._store.now() + int(min(delay, 3600) * 1_000_000),
                    failures=destination.failures + 1,
                )

    def _judge_refusal(
        self, turn: _Turn, receipt: Receipt, parts: list[Part], *, single: bool
    ) -> None:
        """Park where single events fall for one and the same reason, one after the other.

        Before that the events farthest from them are tried: one shop's bad events, side by
        side, are no fault of the dataset.
        """
        known = turn.destination
        if turn.refuses_everything():
            self._park(turn, known.reason)
        elif turn.suspected and not turn.accepted:
            self._park(turn, f"{EVERY_EVENT_REFUSED}:{receipt.reason}")
        else:
            self._open(turn)
        if turn.halted or not single:
            return
        reason, times = self._refused.get(known.id, ("", 0))
        times = times + 1 if reason == receipt.reason else 1
        self._refused[known.id] = receipt.reason, times
        if times >= SAME_FAULT_LIMIT and not turn.accepted:
            if not parts:
                self._park(turn, f"{EVERY_EVENT_REFUSED}:{receipt.reason}")
            else:
                turn.suspected = True
                parts.append(parts.pop(0))

    def _open(self, turn: _Turn) -> None:
        """Note that the destination answers soundly, where that is news."""
        if _is_probe(turn.destination):
            self._store.outbox.recovered(turn.destination.id)
            turn.destination = replace(turn.destination, state="active", reason="", failures=0)
            log.info("destination.recovered", extra={"destination": turn.destination.id})

    def _park(self, turn: _Turn, reason: str) -> None:
        turn.halted = True
        next_at = self._store.now() + PROBE_PARKED_S * 1_000_000
        self._store.outbox.park(turn.destination.id, reason, next_at=next_at)
        if turn.destination.state != "parked":
            log.error(
                "destination.parked",
                extra={"destination": turn.destination.id, "reason": reason},
            )


def _is_probe(destination: Destination) -> bool:
    return destination.state == "parked" or destination.failures > 0


def _limit(destination: Destination) -> int:
    failures = len(BATCHES) if destination.state == "parked" else destination.failures
    return BATCHES[min(failures, len(BATCHES) - 1)]


def _parks(turn: _Turn, receipt: Receipt) -> bool:
    """Return whether somebody must look: a proxy, or a code that is new, answers 4xx for long.

    No event is to blame for it: see docs/decisions/0005-a-proxy-blames-no-event.md.
    """
    unexplained = 400 <= receipt.status < 500 and receipt.reason.startswith("http_")
    return unexplained and turn.destination.failures >= PARK_AFTER


def _end_of(turn: _Turn, event: Claimed, receipt: Receipt, now: int, *, alone: bool) -> Settled:
    """Return what becomes of one event by the answer to its request."""
    state, reason, attempts = "pending", receipt.reason, event.attempts
    # One that failed alone may itself be the cause: the others come first.  The rest keep
    # their order.
    next_at, ambiguous_at = now if alone else None, event.ambiguous_at
    match receipt.outcome:
        case Outcome.ACCEPTED:
            state, reason, attempts = "sent", "", attempts + 1
        case Outcome.DOUBTFUL:
            state, reason, attempts = "sent", "doubtful", attempts + 1
        case Outcome.REFUSED | Outcome.TOO_LARGE if turn.suspected or turn.refuses_everything():
            # It blames no event; the next probe takes another one.
            next_at = now + PROBE_ANOTHER_S * 1_000_000
        case Outcome.REFUSED | Outcome.TOO_LARGE:
            state, attempts = "dead", attempts + 1
        case Outcome.AMBIGUOUS:
            ambiguous_at = ambiguous_at or now
        case Outcome.RETRY if alone and _parks(turn, receipt):
            # Perhaps a firewall dislikes this one event: the next probe takes another one.
            next_at = now + 2 * PROBE_PARKED_S * 1_000_000
    return Settled(
        id=event.id,
        state=state,
        reason=reason,
        next_at=next_at,
        attempts=attempts,
        ambiguous_at=ambiguous_at,
    )


def _log_answer(turn: _Turn, receipt: Receipt, events: int, duration_ms: int) -> None:
    level = {Outcome.ACCEPTED: logging.INFO, Outcome.DOUBTFUL: logging.ERROR}
    log.log(
        level.get(receipt.outcome, logging.WARNING),
        "outbox.posted",
        extra={
            "destination": turn.destination.id,
            "mode": turn.claim.lane.mode,
            "events": events,
            "outcome": str(receipt.outcome),
            "reason": receipt.reason,
            "status": receipt.status,
            "duration_ms": duration_ms,
        },
    )


def _words(error: Exception) -> str:
    """Return our own sentence, or of a foreign error its type: its text may hold anything."""
    return str(error) if isinstance(error, BridgeError) else type(error).__name__


def _backoff_s(failures: int) -> float:
    step = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
    return step * random.uniform(0.8, 1.2)  # noqa: S311  spreading load, not secrecy
