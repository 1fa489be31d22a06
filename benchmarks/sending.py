"""Events sent per CPU-second, ours against the vendor's library, neither over a network.

Ours claims from a SQLite outbox, opens, joins, reads the answer and settles; the library
builds, normalises and serialises one request an event, as its tutorials do.  Rounds are
interleaved, the ratio is the median of pairs.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable

import orjson

from bridge import registry
from bridge.events import Endpoint, Request, Response
from bridge.receive import receive
from bridge.secrets import Vault
from bridge.send import Sender
from bridge.store import Route, Store
from bridge.translate import translate_due

EVENTS = 1_000
ROUNDS = 5
ENDPOINT = Endpoint(url="https://graph.example", version="v26.0")
PLAN = '[consent]\nunknown_optin = "send"\nmode = "off"\n'


def measure() -> dict[str, float]:
    """Return the ratios of this run."""
    sends, lines, theirs = [], [], []
    for _ in range(ROUNDS):
        line_s, send_s = _ours()
        sends.append(EVENTS / send_s)
        lines.append(EVENTS / (line_s + send_s))
        theirs.append(EVENTS / _library())
    return {
        "send_per_cpu_vs_library": _median(sends, theirs),
        "translate_and_send_per_cpu_vs_library": _median(lines, theirs),
    }


def _median(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 2)


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _ours() -> tuple[float, float]:
    """Return CPU seconds of translating and of sending EVENTS orders."""
    adapter = next(
        one for kind in registry.source_kinds() if (one := registry.source(kind)).local_ids
    )
    sample = json.loads(adapter.samples()[0].body)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/bench.db", Vault("x" * 32))
        store.migrate()
        store.history.apply_plan(PLAN, "bench")
        source = store.connections.add_source(adapter.kind, "bench", {"secret": "s"})
        dataset = store.connections.add_destination(
            "meta", "bench", {"dataset_id": "1", "access_token": "t"}
        )
        store.connections.set_route(
            Route(
                source_id=source.id,
                destination_id=dataset.id,
                mode="live",
                toggles={},
                live_since=None,
            )
        )
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        for number in range(EVENTS):
            order = sample | {"id": 10_000 + number, "number": str(number), "date_paid_gmt": now}
            body = orjson.dumps(order | {"date_created_gmt": now, "date_modified_gmt": now})
            topic = adapter.samples()[0].topic
            headers = adapter.sign(topic, body, source.settings)
            receive(store, source, Request(headers=headers, body=body))
        line_s = _cpu(lambda: translate_due(store))
        sender = Sender(store, ENDPOINT, _accept)

        def drain() -> None:
            while sender.send_due():
                pass

        send_s = _cpu(drain)
        sent = store.history.counts()["outbox"].get("sent", 0)
        assert sent == EVENTS, f"{sent} of {EVENTS} were sent"
        store.close()
    return line_s, send_s


def _accept(request: Request) -> Response:
    count = request.body.count(b'"event_id"')
    return Response(status=200, body=b'{"events_received":%d,"fbtrace_id":"A"}' % count)


def _library() -> float:
    """Return CPU seconds in which the library builds and "sends" EVENTS events one by one."""
    from facebook_business.adobjects.serverside.action_source import ActionSource
    from facebook_business.adobjects.serverside.content import Content
    from facebook_business.adobjects.serverside.custom_data import CustomData
    from facebook_business.adobjects.serverside.event import Event
    from facebook_business.adobjects.serverside.event_request import EventRequest
    from facebook_business.adobjects.serverside.user_data import UserData

    def send() -> None:
        for number in range(EVENTS):
            event = Event(
                event_name="Purchase",
                event_id=f"purchase.{number}",
                event_time=int(time.time()),
                action_source=ActionSource.WEBSITE,
                event_source_url="https://shop.example/",
                user_data=UserData(
                    emails=["mara.muster@example.com"],
                    phones=["4930123456"],
                    first_names=["mara"],
                    last_names=["muster"],
                    cities=["berlin"],
                    zip_codes=["10115"],
                    country_codes=["de"],
                    client_ip_address="203.0.113.9",
                    client_user_agent="Mozilla/5.0",
                ),
                custom_data=CustomData(
                    value=79.65,
                    currency="eur",
                    order_id=str(number),
                    contents=[Content(product_id="14", quantity=2, item_price=19.9)],
                ),
            )
            params = EventRequest(pixel_id="1", events=[event]).get_params()
            json.dumps(params)

    return _cpu(send)
