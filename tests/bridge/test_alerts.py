"""What went wrong is told once by every way, and once more when it is over."""

import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from email.utils import format_datetime

import pytest
from sqlalchemy import update

from bridge import alerts, config
from bridge.events import Delivery, Request, Response
from bridge.secrets import Vault
from bridge.store import Store, schema
from tests.fakes.server import Answer, FakeServer
from tests.stores import SECOND, SECRET_KEY, START, commit, put, rows

ASKED = Request(headers={}, body=b"")


class Hook(FakeServer):
    def answer(self, call):
        return Answer(body=b"ok")

    @property
    def told(self):
        return [call.json()["text"] for call in self.calls]


class Mailbox(socketserver.ThreadingTCPServer):
    """An SMTP server that takes every message, or refuses all senders."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Talk)
        self.messages, self.refuses = [], False
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"QUIT":
                return self.say("221 bye")
            if word == b"MAIL" and self.server.refuses:
                self.say("554 no")
            elif word == b"DATA":
                self.say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.messages.append(message_from_bytes(body, policy=default))
                self.say("250 taken")
            else:
                self.say("250 fine")
        return None


@pytest.fixture
def hook():
    with Hook() as server:
        yield server


@pytest.fixture
def mailbox():
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def settings(**more):
    known = {"DATABASE_URL": "sqlite:///unused", "SECRET_KEY": SECRET_KEY}
    return config.load(known | more)


@pytest.fixture
def by_both(hook, mailbox):
    return settings(
        ALERT_WEBHOOK=hook.url, ALERT_EMAIL="me@shop.example", SMTP_URL=mailbox.url,
        PUBLIC_URL="https://bridge.example",
    )  # fmt: skip


def opened(store):
    return {(one.kind, one.subject): one.message for one in store.watches.alerts()}


# Telling


def test_an_alert_is_told_once_by_every_way_and_once_when_it_is_over(store, by_both, hook, mailbox):
    store.watches.raise_alert("shop", "shop", "the key is wrong")
    for _ in range(3):
        alerts.tell(store, by_both)
    store.watches.recover("shop", "shop")
    for _ in range(3):
        alerts.tell(store, by_both)

    assert hook.told == [
        "capi-bridge: the key is wrong",
        "capi-bridge: Recovered: the key is wrong",
    ]
    assert [mail["Subject"] for mail in mailbox.messages] == ["capi-bridge: shop shop"] * 2
    assert mailbox.messages[0]["To"] == "me@shop.example"
    said = mailbox.messages[0].get_content().split()
    assert said == ["the", "key", "is", "wrong", "https://bridge.example/admin/"]


def test_one_way_that_fails_makes_the_other_repeat_nothing(store, by_both, hook, mailbox):
    mailbox.refuses = True
    store.watches.raise_alert("shop", "a", "one")
    store.watches.raise_alert("shop", "b", "two")

    assert alerts.tell(store, by_both) == 2
    assert alerts.tell(store, by_both) == 0
    assert hook.told == ["capi-bridge: one", "capi-bridge: two"]


def test_what_no_way_took_is_tried_again(store, by_both, hook, mailbox):
    mailbox.refuses = True
    hook.fail_next(500)
    store.watches.raise_alert("shop", "a", "one")
    store.watches.raise_alert("shop", "b", "two")

    assert alerts.tell(store, by_both) == 0
    assert len(hook.calls) == 1  # a way that fails is not asked for every alert
    assert alerts.tell(store, by_both) == 2


def test_two_workers_tell_it_once(store, store_url, clock, hook):
    store.watches.raise_alert("shop", "shop", "the key is wrong")
    told, start = [], threading.Barrier(2)

    def work():
        own = Store(store_url, Vault(SECRET_KEY), clock)
        start.wait()
        told.append(alerts.tell(own, settings(ALERT_WEBHOOK=hook.url)))
        own.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(told) == [0, 1]
    assert len(hook.told) == 1


def test_two_workers_raise_it_once(store, store_url, clock):
    raised, start = [], threading.Barrier(4)

    def work():
        own = Store(store_url, Vault(SECRET_KEY), clock)
        start.wait()
        raised.append(own.watches.raise_alert("shop", "shop", "the key is wrong"))
        own.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(raised) == [False, False, False, True]
    assert len(rows(store, "alert")) == 1


def test_a_name_over_two_lines_stops_no_mail(store, by_both, mailbox):
    store.watches.raise_alert("shop", "two\r\nBcc: all@example.com", "wrong")

    assert alerts.tell(store, by_both) == 1
    assert mailbox.messages[0]["Bcc"] is None


def test_without_a_way_nobody_is_told_and_nothing_is_forgotten(store, hook):
    store.watches.raise_alert("shop", "shop", "the key is wrong")

    assert alerts.tell(store, settings()) == 0
    assert alerts.tell(store, settings(ALERT_WEBHOOK=hook.url)) == 1


def test_an_alert_that_was_raised_tells_the_newest_and_is_not_told_again(store, hook):
    by_hook = settings(ALERT_WEBHOOK=hook.url)
    assert store.watches.raise_alert("shop", "shop", "one")
    alerts.tell(store, by_hook)

    assert not store.watches.raise_alert("shop", "shop", "two")

    assert alerts.tell(store, by_hook) == 0
    assert opened(store) == {("shop", "shop"): "two"}


def test_what_comes_again_is_told_again(store, hook):
    for _ in range(2):
        store.watches.raise_alert("shop", "shop", "wrong")
        alerts.tell(store, settings(ALERT_WEBHOOK=hook.url))
        assert store.watches.recover("shop", "shop")
        assert not store.watches.recover("shop", "shop")
        alerts.tell(store, settings(ALERT_WEBHOOK=hook.url))

    assert len(hook.told) == 4


# What is wrong


def test_a_parked_destination_is_an_alert_until_it_is_mended_or_removed(store, destination):
    for state in ("active", "removed"):
        store.connections.set_destination(destination.id, state="parked", reason="token")
        alerts.inspect(store)
        assert "refuses our events (token)" in opened(store)["parked", "dataset"]

        store.connections.set_destination(destination.id, state=state)
        alerts.inspect(store)
        assert opened(store) == {}


def test_many_dead_events_are_an_alert_and_few_are_none(store, source, outbox_row, clock):
    commit(store, source, *[outbox_row(state="dead") for _ in range(4)])
    alerts.inspect(store)
    assert opened(store) == {}
    commit(store, source, outbox_row(state="dead"))
    alerts.inspect(store)
    assert opened(store) == {("dead", "events"): "5 of 5 events ended dead in an hour."}

    clock.move(3601)
    alerts.inspect(store)

    assert opened(store) == {}


def test_events_that_expire_soon_are_an_alert(store, source, outbox_row):
    commit(store, source, outbox_row(expires_at=START + 11 * 3600 * SECOND))

    alerts.inspect(store)

    assert opened(store)["expiring", "events"].endswith("if they are not sent: 1.")


def test_a_low_coverage_is_an_alert(store, source, outbox_row):
    made = [outbox_row(state="sent") for _ in range(17)]
    made += [outbox_row(state="expired") for _ in range(3)]
    made += [outbox_row(state="skipped") for _ in range(50)]
    commit(store, source, *made)

    alerts.inspect(store)

    assert opened(store) == {("coverage", "events"): "Only 17 of 20 events of a day are sent."}


def test_orders_in_an_unknown_state_are_an_alert(store, source, outbox_row):
    odd = outbox_row(state="skipped", reason="unknown_state")
    commit(store, source, odd, outbox_row(state="skipped", reason="not_paid"))

    alerts.inspect(store)

    assert opened(store)["unknown_state", "events"].startswith("1 events of a day")


@pytest.mark.parametrize(("kind", "alarmed"), [("k", True), ("collect:", False)])
def test_a_shop_that_falls_silent_is_an_alert_by_what_it_sent_itself(
    store, source, clock, kind, alarmed
):
    for number in range(20):
        put(store, source, f"{kind}{number}")
        clock.move(600)
    commit(store, source)
    clock.move(25 * 3600)

    alerts.inspect(store)

    assert (("silence", "shop") in opened(store)) is alarmed


def test_webhooks_that_could_not_be_read_are_told_by_what_the_adapter_says(store, source):
    put(store, source, "k1")
    put(store, source, "collect:k2")  # anybody may post this
    erased = Delivery(topic="orders/paid", key="k3", body=b"{}")
    store.intake.put(source.id, erased, START, dead_reason="erased")
    table = schema.delivery
    with store.database.write() as connection:
        connection.execute(
            update(table)
            .where(table.c.state == "received")
            .values(state="dead", reason="shop_error_401", detail="no right")
        )
    alerts.inspect(store)
    assert opened(store) == {
        ("unread", "shop"): "shop: 1 webhooks of a day could not be read (no right); see"
        " `capi-bridge dead`."
    }

    with store.database.write() as connection:
        connection.execute(update(table).values(state="received"))
    alerts.inspect(store)

    assert opened(store) == {}


def test_an_outage_is_told_for_a_day(store, clock):
    alerts.note_outage(store, START - 3600 * SECOND, START)
    alerts.inspect(store)
    assert {kind for kind, _ in opened(store)} == {"outage"}

    clock.move(86_401)
    alerts.inspect(store)

    assert opened(store) == {}


def test_a_shop_that_revoked_our_access_is_an_alert(store, source):
    store.connections.set_source(source.id, state="disconnected")
    alerts.inspect(store)
    assert "has revoked our access" in opened(store)["disconnected", "shop"]

    store.connections.set_source(source.id, state="active")
    alerts.inspect(store)

    assert opened(store) == {}


@pytest.mark.parametrize("kind", ["shop", "webhooks", "silent", "signature"])
def test_what_was_told_of_a_shop_ends_when_it_is_not_looked_after_any_more(store, source, kind):
    store.watches.raise_alert(kind, "shop", "wrong")
    alerts.inspect(store)
    assert len(opened(store)) == 1

    store.connections.set_source(source.id, state="paused")
    alerts.inspect(store)

    assert opened(store) == {}


def test_a_wrong_clock_is_an_alert_until_it_is_right(store):
    times = {}

    def post(_):
        return Response(status=200, body=b"", headers={"Date": format_datetime(times["now"])})

    watch = alerts.ClockWatch(store, post)
    for minutes, wrong in [(1, False), (-60, True), (-59, True), (0, False)]:
        times["now"] = datetime.now(UTC) + timedelta(minutes=minutes)
        assert watch(ASKED).status == 200
        assert (("clock", "server") in opened(store)) is wrong

    nothing = alerts.ClockWatch(store, lambda _: Response(status=200, body=b""))
    nothing(ASKED)
    assert opened(store) == {}
