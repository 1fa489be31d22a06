"""Who must know: what went wrong becomes an alert, told once, and once more when it is over."""

import json
import logging
import smtplib
import ssl
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bridge.config import Config
from bridge.events import Request, Response, ShopError
from bridge.fetch import fetch
from bridge.store import Alert, Store, moment

DEAD_RATE = 0.01
DEAD_LEAST = 5
COVERED = 0.9
COVERED_LEAST = 20
EXPIRES_SOON = timedelta(hours=12)
QUIET_LEAST = timedelta(hours=24)
SMTP_S = 20
log = logging.getLogger(__name__)

Fetch = Callable[[Request], Response]


def inspect(store: Store) -> None:
    """Raise what is wrong now, and recover what was."""
    _destinations(store)
    _events(store)
    _silence(store)


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
        f"{soon} events expire within twelve hours if they are not sent." if soon else "",
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


def _silence(store: Store) -> None:
    now = store.now()
    for source in store.connections.sources():
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


def tell(store: Store, config: Config, fetcher: Fetch = fetch) -> int:
    """Tell what nobody was told of yet, by every way that is set up; return how many."""
    if not (config.alert_email or config.alert_webhook):
        return 0
    told = 0
    for alert in reversed(store.watches.alerts(untold=True)):
        try:
            if config.alert_webhook:
                _post(config.alert_webhook, alert, fetcher)
            if config.alert_email:
                _mail(config, alert)
        except (ShopError, OSError, smtplib.SMTPException) as error:
            log.warning("alert.not_told", extra={"reason": type(error).__name__})
            continue
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
    message["Subject"] = f"capi-bridge: {alert.kind} {alert.subject}"
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
