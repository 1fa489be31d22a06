"""Several workers on one database: no event is sent twice, and one alone probes."""

import threading
from collections import Counter

import orjson
import pytest

from bridge.events import Response
from bridge.secrets import Vault
from bridge.send import Sender
from bridge.store import Store
from tests.stores import SECRET_KEY

from .seen import states


@pytest.fixture
def another_store(store_url, clock):
    """Return a function that opens the same database once more."""
    opened = []

    def reopen():
        opened.append(Store(store_url, Vault(SECRET_KEY), clock))
        return opened[-1]

    yield reopen
    for one in opened:
        one.close()


class Platform:
    """Counts what it gets and accepts all of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.copies = Counter()

    def __call__(self, request):
        ids = [event["event_id"] for event in orjson.loads(request.body)["data"]]
        with self.lock:
            self.copies.update(ids)
        return Response(status=200, body=b'{"events_received":%d}' % len(ids))


def test_two_senders_never_send_an_event_twice(store, queue, endpoint, another_store):
    ids = queue(1000)
    platform = Platform()
    senders = [Sender(another_store(), endpoint, platform) for _ in range(2)]

    def work(sender):
        while sender.send_due():
            pass

    threads = [threading.Thread(target=work, args=(one,)) for one in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert platform.copies == dict.fromkeys(ids, 1)
    assert states(store) == {"sent": 1000}


def test_several_threads_of_one_sender_never_send_an_event_twice(store, queue, endpoint):
    other = store.connections.add_destination(
        "meta", "other", {"dataset_id": "2", "access_token": "t"}
    )
    ids = queue(300) + queue(300, destination_id=other.id)
    platform = Platform()
    sender = Sender(store, endpoint, platform)

    def work():
        while states(store)["pending"]:
            sender.send_due()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert platform.copies == dict.fromkeys(ids, 1)
    assert states(store) == {"sent": 600}


def test_of_two_workers_one_alone_probes(store, queue, endpoint, lane, clock, another_store):
    queue(5)
    store.outbox.slow_down(lane.destination_id, next_at=clock(), failures=4)
    other_posted = []
    other = Sender(another_store(), endpoint, other_posted.append)

    def post(request):
        other.send_due()  # while our probe is under way
        return Response(status=503, body=b"")

    Sender(store, endpoint, post).send_due()

    assert other_posted == []
    assert states(store) == {"pending": 5}


def test_of_two_workers_that_claimed_at_once_one_alone_probes(
    store, queue, lane, clock, destination
):
    queue(1)
    store.outbox.slow_down(lane.destination_id, next_at=clock(), failures=4)
    seen = store.connections.destination(str(destination.id))

    answers = [store.outbox.take_probe(seen, clock()) for _ in range(2)]

    assert answers == [True, False]


def test_a_worker_that_died_while_it_probed_holds_the_destination_for_one_lease_only(
    store, queue, endpoint, lane, clock
):
    queue(1)
    store.outbox.slow_down(lane.destination_id, next_at=clock(), failures=4)
    seen = store.connections.destination(str(lane.destination_id))
    assert store.outbox.take_probe(seen, clock())
    sender = Sender(store, endpoint, Platform())

    clock.move(119)
    assert sender.send_due() == 0
    clock.move(1)
    assert sender.send_due() == 1
