"""Third verb: due events are posted; what the platform answered decides their state.

Faults are sorted by who must act.  The clock of retries belongs to the destination, not to
each event: an outage costs one probe an interval, not a million timers.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge import net, registry
from bridge.events import ConfigError, Endpoint, Outcome, Receipt, Request, Response
from bridge.store import Claim, Claimed, Destination, Lane, Settled, Store

BATCH = 100  # small enough that finding one bad event is cheap
BACKOFF_S = (2, 10, 30, 120, 300, 900, 1800, 3600)
AMBIGUOUS_S = 5
AMBIGUOUS_LIMIT_S = 40 * 3600  # within the 48 hours in which Meta drops a repeated event
PROBE_PARKED_S = 900
PROBE_ANOTHER_S = 7200
MAX_REQUESTS = 64  # a claim that splits further goes on at the next turn
MAX_TURN_S = 90  # well within the lease of 120 seconds
MAX_CLIENT_ERRORS = 3  # a 4xx without a code we know: never loop
SAME_FAULT_LIMIT = 5  # so many single events refused alike: the dataset is at fault, not they

Post = Callable[[Request], Response]
log = logging.getLogger(__name__)


@dataclass
class _Turn:
    """What is known while one claim is worked off."""

    claim: Claim
    destination: Destination
    test_event_code: str
    started: float = field(default_factory=time.monotonic)
    requests: int = 0
    accepted: int = 0
    refused_alike: int = 0
    last_refusal: str = ""
    halted: bool = False

    def is_over(self) -> bool:
        late = time.monotonic() - self.started > MAX_TURN_S
        return self.halted or self.requests >= MAX_REQUESTS or late


class Sender:
    """Sends what is due.  *post* carries a request out; it may raise what `net.send` raises."""

    def __init__(self, store: Store, endpoint: Endpoint, post: Post = net.send) -> None:
        self._store = store
        self._endpoint = endpoint
        self._post = post

    def send_due(self, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Send one claim of each lane that has something due; return how many were sent."""
        self._store.outbox.recover(self._store.now())
        sent = 0
        for lane in self._store.outbox.lanes(self._store.now()):
            if should_stop():
                break
            sent += self.send_lane(lane)
        return sent

    def send_lane(self, lane: Lane) -> int:
        """Claim and send once for *lane*; return how many events were accepted."""
        destination = self._store.connections.destination(str(lane.destination_id))
        healthy = destination.state == "active" and not destination.failures
        adapter = registry.destination(destination.kind)
        limit = min(BATCH, adapter.max_batch) if healthy else 1
        claim = self._store.outbox.claim(lane, limit, self._store.now())
        accepted = 0
        for code, events in self._by_test_event_code(claim).items():
            turn = _Turn(claim=claim, destination=destination, test_event_code=code)
            self._work_off(turn, events)
            accepted += turn.accepted
        return accepted

    def _by_test_event_code(self, claim: Claim) -> dict[str, list[Claimed]]:
        """Group the events by the code of their route; live events have none."""
        if claim.lane.mode == "live":
            return {"": list(claim.events)} if claim.events else {}
        codes = {
            route.source_id: route.test_event_code
            for route in self._store.connections.routes()
            if route.destination_id == claim.lane.destination_id
        }
        groups: dict[str, list[Claimed]] = {}
        for event in claim.events:
            groups.setdefault(codes.get(event.source_id, ""), []).append(event)
        return groups

    def _work_off(self, turn: _Turn, events: Sequence[Claimed]) -> None:
        """Post *events*; halve what is refused until the bad ones stand alone."""
        parts = [list(events)]
        while parts and not turn.is_over():
            part = parts.pop()
            sent_at = self._store.now()
            receipt, duration_ms = self._request(turn, part)
            turn.requests += 1
            splits = receipt.outcome in {Outcome.REFUSED, Outcome.TOO_LARGE} and len(part) > 1
            settled = [] if splits else [self._end_of(turn, event, receipt) for event in part]
            kept = self._store.outbox.settle(
                turn.claim,
                settled,
                receipt,
                events=len(part),
                sent_at=sent_at,
                duration_ms=duration_ms,
                now=self._store.now(),
            )
            if kept < len(settled):
                log.warning("outbox.lease_lost", extra={"events": len(settled) - kept})
            self._move_lane(turn, receipt, single=len(part) == 1)
            if splits:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
        rest = [event.id for part in parts for event in part]
        if rest:
            self._store.outbox.give_back(turn.claim, rest, self._store.now())

    def _request(self, turn: _Turn, part: Sequence[Claimed]) -> tuple[Receipt, int]:
        adapter = registry.destination(turn.destination.kind)
        started = time.monotonic()
        try:
            request = adapter.request(
                [event.payload for event in part],
                turn.destination.settings,
                self._endpoint,
                turn.test_event_code,
            )
            receipt = adapter.read(self._post(request), len(part))
        except ConfigError as error:
            receipt = Receipt(outcome=Outcome.PARKED, reason="settings", message=str(error))
        except net.NotSent as error:
            receipt = Receipt(outcome=Outcome.RETRY, reason="not_sent", message=str(error))
        except net.NoAnswer as error:
            receipt = Receipt(outcome=Outcome.AMBIGUOUS, reason="no_answer", message=str(error))
        duration_ms = int((time.monotonic() - started) * 1000)
        log.info(
            "outbox.posted",
            extra={
                "destination": turn.destination.id,
                "mode": turn.claim.lane.mode,
                "events": len(part),
                "outcome": str(receipt.outcome),
                "reason": receipt.reason,
                "status": receipt.status,
                "duration_ms": duration_ms,
            },
        )
        return receipt, duration_ms

    def _end_of(self, turn: _Turn, event: Claimed, receipt: Receipt) -> Settled:
        """Return what becomes of one event by the answer to its request."""
        now = self._store.now()
        waiting = Settled(
            id=event.id,
            state="pending",
            next_at=now,
            attempts=event.attempts,
            ambiguous_at=event.ambiguous_at,
        )
        match receipt.outcome:
            case Outcome.ACCEPTED:
                return _with(waiting, state="sent", attempts=event.attempts + 1)
            case Outcome.DOUBTFUL:
                return _with(waiting, state="sent", reason="doubtful", attempts=event.attempts + 1)
            case Outcome.REFUSED | Outcome.TOO_LARGE if turn.destination.state == "parked":
                # A probe of a dataset that refuses everything blames no event; the next
                # probe takes another one.
                return _with(waiting, next_at=now + PROBE_ANOTHER_S * 1_000_000)
            case Outcome.REFUSED | Outcome.TOO_LARGE:
                return _with(
                    waiting, state="dead", reason=receipt.reason, attempts=event.attempts + 1
                )
            case Outcome.AMBIGUOUS:
                since = event.ambiguous_at or now
                if now - since > AMBIGUOUS_LIMIT_S * 1_000_000:
                    return _with(waiting, state="dead", reason="unknown_outcome")
                return _with(waiting, ambiguous_at=since, reason=receipt.reason)
            case Outcome.RETRY if 400 <= receipt.status < 500:
                attempts = event.attempts + 1
                state = "dead" if attempts >= MAX_CLIENT_ERRORS else "pending"
                return _with(waiting, state=state, attempts=attempts, reason=receipt.reason)
            case _:
                return _with(waiting, reason=receipt.reason)

    def _move_lane(self, turn: _Turn, receipt: Receipt, *, single: bool) -> None:
        """Open, slow down or park the destination by the answer."""
        destination, outbox = turn.destination, self._store.outbox
        match receipt.outcome:
            case Outcome.ACCEPTED | Outcome.DOUBTFUL:
                turn.accepted += receipt.accepted or 0
                turn.refused_alike = 0
                if destination.failures or destination.state == "parked":
                    outbox.recovered(destination.id)
                    log.info("destination.recovered", extra={"destination": destination.id})
                if receipt.outcome is Outcome.DOUBTFUL:
                    log.error("outbox.doubtful", extra={"destination": destination.id})
            case Outcome.REFUSED | Outcome.TOO_LARGE:
                if single:
                    self._count_refusal(turn, receipt)
            case Outcome.PARKED:
                self._park(turn, receipt.reason)
            case _:
                turn.halted = True
                first = AMBIGUOUS_S if receipt.outcome is Outcome.AMBIGUOUS else 0
                delay = max(first, _backoff_s(destination.failures), receipt.retry_after_s or 0)
                outbox.slow_down(
                    destination.id,
                    next_at=self._store.now() + int(min(delay, 3600) * 1_000_000),
                    failures=destination.failures + 1,
                )

    def _count_refusal(self, turn: _Turn, receipt: Receipt) -> None:
        """Park where single events fall for one and the same reason, one after the other."""
        turn.refused_alike = turn.refused_alike + 1 if turn.last_refusal == receipt.reason else 1
        turn.last_refusal = receipt.reason
        if turn.destination.state == "parked":
            self._park(turn, turn.destination.reason)
        elif turn.refused_alike >= SAME_FAULT_LIMIT and not turn.accepted:
            self._park(turn, f"every_event_refused:{receipt.reason}")

    def _park(self, turn: _Turn, reason: str) -> None:
        turn.halted = True
        next_at = self._store.now() + PROBE_PARKED_S * 1_000_000
        self._store.outbox.park(turn.destination.id, reason, next_at=next_at)
        if turn.destination.state != "parked":
            log.error(
                "destination.parked",
                extra={"destination": turn.destination.id, "reason": reason},
            )


def _with(settled: Settled, **changes: str | int | None) -> Settled:
    return Settled(**{**vars(settled), **changes})


def _backoff_s(failures: int) -> float:
    step = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
    return step * random.uniform(0.8, 1.2)  # noqa: S311  spreading load, not secrecy
