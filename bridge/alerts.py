"""Who must know: what went wrong becomes an alert, told once, and once more when it is over."""

import contextlib
import json
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bridge import net
from bridge.config import Config
from bridge.events import Request, Response, ShopError
from bridge.fetch import fetch
from bridge.store import Alert, Store, StoreError, moment

DEAD_RATE = 0.01
DEAD_LEAST = 5
COVERED = 0.9
COVERED_LEAST = 20
EXPIRES_SOON = timedelta(hours=12)
DATA_REQUEST = timedelta(days=30)  # so long there is to answer
QUIET_LEAST = timedelta(hours=24)
SIGNED_AGAIN = timedelta(hours=1)  # one of a shop's webhooks may be signed well, another not
OUTAGE_TOLD = timedelta(days=1)
SMTP_S = 20
SKEW_S = 120
log = logging.getLogger(__name__)

# Kinds whose subject is a source, or a destination.
_OF_ONE = {"parked", "shop", "webhooks", "silent", "signature", "unread"}

Fetch = Callable[[Request], Response]


def _fetch(request: Request) -> Response:
    """Send to the address of the environment, which may be one of the own network."""
    return fetch(request, private=True)


class ClockWatch:
    """Carries requests out, and raises an alert while this machine's clock is wrong.

    How old an event is, and when it is tried again, is told by it.
    """

    def __init__(self, store: Store, post: Fetch = net.send) -> None:
        self._store = store
        self._post = post
        self._is_wrong: bool | None = None

    def __call__(self, request: Request) -> Response:
        """Return the answer to *request*; raises what `net.send` raises."""
        response = self._post(request)
        ahead_s = net.ahead_s(response)
        if ahead_s is not None and (abs(ahead_s) > SKEW_S) is not self._is_wrong:
            with contextlib.suppress(StoreError):  # told with a later answer
                self._tell(ahead_s)
        return response

    def _tell(self, ahead_s: float) -> None:
        is_wrong = abs(ahead_s) > SKEW_S
        way = "ahead of" if ahead_s > 0 else "behind"
        message = (
            f"The clock of {socket.gethostname()} is {abs(ahead_s):.0f} seconds {way} the"
            " platform's: events may be taken for too old, or for too new."
        )
        # One subject for all machines: names of containers change at every start.
        _set(self._store, "clock", "server", message if is_wrong else "")
        self._is_wrong = is_wrong


def inspect(store: Store) -> None:
    """Raise what is wrong now, and recover what was."""
    _destinations(store)
    _events(store)
    _sources(store)
    _signatures(store)
    _forget_absent(store)


def _set(store: Store, kind: str, subject: str, message: str) -> None:
    """Raise the alert with *message*; an empty one recovers it."""
    if message:
        store.watches.raise_alert(kind, subject, message)
    else:
        store.watches.recover(kind, subject)


def _destinations(store: Store) -> None:
    for one in store.connections.destinations():
        parked = one.state == "parked"
        _set(
            store,
            "parked",
            one.name,
            f"{one.name} refuses our events ({one.reason}). They wait; mend it before the oldest"
            " is seven days old."
            if parked
            else "",
        )


def _events(store: Store) -> None:
    now = store.now()
    recent = store.history.states_since(now - _span(timedelta(hours=1)))
    dead, total = recent.get("dead", 0), sum(recent.values())
    many = dead >= DEAD_LEAST and dead > DEAD_RATE * total
    _set(
        store, "dead", "events", f"{dead} of {total} events ended dead in an hour." if many else ""
    )
    soon = store.history.expiring(now + _span(EXPIRES_SOON))
    _set(
        store,
        "expiring",
        "events",
        f"Events that expire within twelve hours if they are not sent: {soon}." if soon else "",
    )
    day = store.history.states_since(now - _span(timedelta(days=1)))
    wanted = sum(count for state, count in day.items() if state != "skipped")
    waiting = day.get("pending", 0) + day.get("sending", 0) + day.get("waiting", 0)
    sent = day.get("sent", 0) + waiting
    low = wanted >= COVERED_LEAST and sent < COVERED * wanted
    _set(
        store,
        "coverage",
        "events",
        f"Only {sent} of {wanted} events of a day are sent." if low else "",
    )
    odd = store.history.skipped_since(now - _span(timedelta(days=1)), "unknown_state")
    _set(
        store,
        "unknown_state",
        "events",
        f"{odd} events of a day are of orders in a state that we do not know." if odd else "",
    )


def _sources(store: Store) -> None:
    now = store.now()
    unread = store.history.unread(now - _span(timedelta(days=1)))
    for source in store.connections.sources():
        count, sentence = unread.get(source.id, (0, ""))
        _set(
            store,
            "unread",
            source.name,
            f"{source.name}: {count} webhooks of a day could not be read ({sentence}); see"
            " `capi-bridge dead`."
            if count
            else "",
        )
        _set(
            store,
            "disconnected",
            source.name,
            f"{source.name} has revoked our access; its orders come no more. Connect it again, or"
            " remove it."
            if source.state == "disconnected"
            else "",
        )
        asked = store.history.audited_since(
            "privacy.data_requested", f"source {source.id}", now - _span(DATA_REQUEST)
        )
        _set(
            store,
            "data_request",
            source.name,
            f"{asked} buyers of {source.name} have asked what is kept of them. Answer the shop's"
            " request within 30 days."
            if asked
            else "",
        )
        usual = store.history.longest_gap(source.id, now - _span(timedelta(days=7)))
        limit = max(3 * usual, _span(QUIET_LEAST)) if usual is not None else None
        heard = source.delivery_at
        quiet = source.state == "active" and heard and limit and now - heard > limit
        _set(
            store,
            "silence",
            source.name,
            f"{source.name} has sent nothing since {moment(heard):%Y-%m-%d %H:%M} UTC, longer than"
            " is usual."
            if quiet and heard
            else "",
        )


def _signatures(store: Store) -> None:
    """Recover the alert of refused webhooks where the shop is heard an hour after it."""
    heard = {one.name: one.delivery_at or 0 for one in store.connections.sources()}
    for alert in store.watches.alerts():
        sound_at = alert.raised_at + _span(SIGNED_AGAIN)
        if alert.kind == "signature" and heard.get(alert.subject, 0) > sound_at:
            store.watches.recover(alert.kind, alert.subject)


def note_outage(store: Store, start: int, end: int) -> None:
    """Raise an alert: nobody was at work, perhaps since the platform let this server sleep."""
    store.watches.raise_alert(
        "outage",
        "worker",
        f"Nobody was at work from {moment(start):%Y-%m-%d %H:%M} to {moment(end):%H:%M} UTC: the"
        " shops' order lists are read for what they could not send. A plan that lets this server"
        " sleep is not fit for it.",
    )


def _forget_absent(store: Store) -> None:
    """Recover what was told of sources that are not looked after now, of lanes removed, and of an
    outage that is a day old.
    """
    lanes = {one.name for one in store.connections.destinations()}
    shops = {one.name for one in store.connections.sources() if one.state == "active"}
    for alert in store.watches.alerts():
        known = lanes if alert.kind == "parked" else shops
        absent = alert.kind in _OF_ONE and alert.subject not in known
        old = alert.kind == "outage" and alert.raised_at < store.now() - _span(OUTAGE_TOLD)
        if absent or old:
            store.watches.recover(alert.kind, alert.subject)


def tell(store: Store, config: Config, fetcher: Fetch = _fetch) -> int:
    """Tell what nobody was told of yet, by every way that is set up; return how many.

    An alert that went one way counts as told: another way that fails must not repeat it.
    """
    ways: dict[str, Callable[[Alert], None]] = {}
    if config.alert_webhook:
        ways["webhook"] = lambda alert: _post(config.alert_webhook, alert, fetcher)
    if config.alert_email:
        ways["email"] = lambda alert: _mail(config, alert)
    if not ways or not store.watches.alerts(untold=True, limit=1):
        return 0
    with store.watches.lock("alerts") as taken:  # else each worker would tell it
        return _tell_all(store, ways) if taken else 0


def _tell_all(store: Store, ways: dict[str, Callable[[Alert], None]]) -> int:
    told = 0
    for alert in reversed(store.watches.alerts(untold=True)):
        went = False
        for name, way in list(ways.items()):
            try:
                way(alert)
            except (ShopError, OSError, smtplib.SMTPException, ValueError) as error:
                extra = {"way": name, "reason": type(error).__name__}
                log.warning("alert.not_told", extra=extra)
                del ways[name]  # until the next round
            else:
                went = True
        if went:
            store.watches.told(alert, store.now())
            told += 1
    return told


def in_words(alert: Alert) -> str:
    """Return the sentence that is told."""
    return f"Recovered: {alert.message}" if alert.recovered_at is not None else alert.message


def _post(url: str, alert: Alert, fetcher: Fetch) -> None:
    body = json.dumps({"text": f"capi-bridge: {in_words(alert)}"}).encode()
    answer = fetcher(Request(url=url, headers={"Content-Type": "application/json"}, body=body))
    if answer.status >= 300:
        raise ShopError("refused", f"the alert webhook answered {answer.status}")


def _mail(config: Config, alert: Alert) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(f"capi-bridge: {alert.kind} {alert.subject}".split())
    message["From"] = message["To"] = config.alert_email
    message.set_content(f"{in_words(alert)}\n\n{config.base_url}/admin/\n")
    parts = urlsplit(config.smtp_url)
    host, user = parts.hostname or "localhost", unquote(parts.username or "")
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, timeout=SMTP_S, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=SMTP_S)
    with server:
        if parts.scheme == "smtp+tls":
            server.starttls(context=context)
        if user:
            server.login(user, unquote(parts.password or ""))
        server.send_message(message)


def _span(delta: timedelta) -> int:
    return delta // timedelta(microseconds=1)
