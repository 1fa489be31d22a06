"""The first durable stop: what was put is there once, whatever the shop repeats."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from bridge.events import Delivery
from bridge.store import StoreError
from tests.stores import START, put, rows


def test_a_new_delivery_is_stored_with_its_body(store, source):
    is_new = put(store, source, "k1", b'{"id":1}', headers={"x-topic": "orders/paid"})

    lease = store.translations.lease(START)
    (stored,) = store.translations.batch(lease, 10)
    assert is_new
    assert stored.delivery.topic == "orders/paid"
    assert stored.delivery.key == "k1"
    assert stored.delivery.body == b'{"id":1}'
    assert stored.delivery.headers == {"x-topic": "orders/paid"}
    assert stored.delivery.received_at.isoformat() == "2026-11-23T12:00:00+00:00"


def test_the_body_comes_back_byte_for_byte(store, source):
    body = b"\n\x00\xff\n{}\r\n" + bytes(range(256))
    put(store, source, "k1", body)

    (stored,) = store.translations.batch(store.translations.lease(START), 10)
    assert stored.delivery.body == body


def test_the_same_key_again_is_a_duplicate_and_changes_nothing(store, source):
    put(store, source, "k1", b"first")
    before = rows(store, "delivery"), rows(store, "delivery_body")

    assert put(store, source, "k1", b"second") is False
    assert (rows(store, "delivery"), rows(store, "delivery_body")) == before


def test_two_sources_may_use_one_key(store, source):
    other = store.connections.add_source("bogus", "other", {}, "w2")

    assert put(store, source, "k1")
    assert put(store, other, "k1")


def test_a_dead_delivery_is_kept_with_its_reason_and_never_translated(store, source):
    delivery = Delivery(topic="orders/paid", key="k1", body=b"")
    assert store.intake.put(source.id, delivery, START, "too_large")

    assert rows(store, "delivery", "state", "reason", "done_at") == [("dead", "too_large", START)]
    assert store.translations.lease(START) is None


def test_fifty_copies_at_once_leave_one_row(store, source):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: put(store, source, "k1"), range(50)))

    assert sorted(answers) == [False] * 49 + [True]
    assert len(rows(store, "delivery")) == len(rows(store, "delivery_body")) == 1


def test_sixteen_threads_put_without_loss(store, source):
    def put_ten(thread: int) -> list[bool]:
        return [put(store, source, f"{thread}-{number}") for number in range(10)]

    with ThreadPoolExecutor(16) as pool:
        answers = [answer for ten in pool.map(put_ten, range(16)) for answer in ten]

    assert answers == [True] * 160
    assert len(set(rows(store, "delivery", "key"))) == 160
    assert rows(store, "delivery", "id") == rows(store, "delivery_body", "delivery_id")


@pytest.fixture
def put_together(store, monkeypatch):
    """Return a function that puts (source, key) pairs as one group, behind a first put."""
    write_group = store.intake._write_group

    def together(source, pairs):
        groups, writing, go_on = [], threading.Event(), threading.Event()

        def slow(group):
            writing.set()
            assert go_on.wait(5)
            groups.append(len(group))
            return write_group(group)

        with monkeypatch.context() as patch, ThreadPoolExecutor(16) as pool:
            patch.setattr(store.intake, "_write_group", slow)
            first = pool.submit(put, store, source, "first")
            assert writing.wait(5)
            patch.setattr(store.intake, "_write_group", write_group)
            answers = [pool.submit(put, store, *pair) for pair in pairs]
            while store.intake._queue().qsize() < len(pairs):
                threading.Event().wait(0.001)
            go_on.set()
        assert first.result()
        assert groups == [1]
        return [one.exception() or one.result() for one in answers]

    return together


def test_puts_that_wait_together_share_one_commit(store, source, put_together):
    commits = []
    engine, is_sqlite = store.database.engine, store.database.is_sqlite
    put(store, source, "before")  # whatever a first connection asks
    # On PostgreSQL each statement of a put is a transaction of its own.
    event.listen(
        engine, "commit" if is_sqlite else "before_cursor_execute", lambda *_: commits.append(1)
    )

    assert put_together(source, [(source, f"k{number}") for number in range(15)]) == [True] * 15
    assert len(commits) == 2


def test_of_puts_that_wait_together_each_is_answered_for_itself(store, source, put_together):
    gone = type(source)(**{**vars(source), "id": 999})
    pairs = [(source, "a"), (source, "b"), (gone, "a"), (source, "a"), (source, "first")]

    answers = put_together(source, pairs)
    assert sorted(answers[:2] + answers[3:]) == [False, False, True, True]
    assert answers[1] is True
    assert isinstance(answers[2], StoreError)
    assert sorted(rows(store, "delivery", "key")) == ["a", "b", "first"]
    assert rows(store, "delivery", "id") == rows(store, "delivery_body", "delivery_id")


def test_keys_that_differ_only_late_are_two_deliveries(store, source):
    assert put(store, source, "k" * 500 + "1")
    assert put(store, source, "k" * 500 + "2")
    assert put(store, source, "k" * 500 + "1") is False


@pytest.mark.parametrize("odd", ["nul\0", "half \ud83d", "emoji 🛒", "x" * 5000])
def test_odd_text_in_topic_key_and_headers_is_stored(store, source, odd):
    delivery = Delivery(topic=odd, key=odd, body=b"{}", headers={odd: odd})

    assert store.intake.put(source.id, delivery, START)
    assert store.intake.put(source.id, delivery, START) is False
    (stored,) = store.translations.batch(store.translations.lease(START), 10)
    assert stored.delivery.body == b"{}"


def test_an_odd_key_is_not_taken_for_a_plain_one(store, source):
    assert put(store, source, "ab")
    assert put(store, source, "a\0b")
    assert put(store, source, "a\ud800b")
    assert put(store, source, "a?b")


def test_a_delivery_of_a_source_that_is_gone_fails_alone(store, source):
    gone = type(source)(**{**vars(source), "id": 999})
    with ThreadPoolExecutor(8) as pool:
        sound = [pool.submit(put, store, source, f"k{number}") for number in range(20)]
        lost = [pool.submit(put, store, gone, f"k{number}") for number in range(20)]

    assert all(answer.result() for answer in sound)
    assert all(isinstance(answer.exception(), StoreError) for answer in lost)
    assert len(rows(store, "delivery")) == 20
