"""Whatever an order is changed into, only TranslationError leaves the adapter."""

import json
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.sources.woocommerce import adapter
from bridge.events import Delivery, TranslationError
from bridge.events.testing import check_facts

DELIVERIES = Path(__file__).parents[3] / "deliveries" / "woocommerce"
BODIES = [
    (DELIVERIES / case / "body.json").read_text("utf-8")
    for case in ("11.0.1/140-order.created", "11.0.1/069-order.updated",
                 "11.0.1/160-customer.created", "traps/renewal-with-copied-meta",
                 "traps/pixelyoursite-cookie", "traps/negative-fee",
                 "companion/01-granted-item-added", "companion/03-granted-checkout-started",
                 "11.0.1/135-cart.item_added")
]  # fmt: skip
ODD_TEXTS = ("", "0", "-1", "1e400", "9" * 5_000, "x" * 1_000_000, "2026-99-99T00:00:00",
             "0001-01-01T00:00:00", "http://[", "//", "v1;=;;marketing=", "&#0;&#xD800;&amp;",
             "\0", "\ud800", "+9999-01-01", "1" * 40, "shop example", "%ff?fbclid=%ff")  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(ODD_TEXTS) | st.sampled_from((10**20, 10**300, 1e-20, 1e308)),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below,
                                                               max_size=3),
    max_leaves=5,
)  # fmt: skip


def places(value):
    """Return every (holder, key) below *value*."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    below = [place for _, v in pairs if isinstance(v, dict | list) for place in places(v)]
    return [(value, key) for key, _ in pairs] + below


@given(data=st.data(), raw=st.sampled_from(BODIES), topic=st.sampled_from(sorted(adapter.topics)))
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_a_changed_body_costs_no_other_error(data, raw, topic):
    body = json.loads(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        holder, key = data.draw(st.sampled_from(places(body)))
        if isinstance(holder, dict) and data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(VALUES)
        if not body:
            break
    delivery = Delivery(topic=topic, key="k", body=json.dumps(body).encode())

    with suppress(TranslationError):
        check_facts(adapter.translate(delivery, {"secret": "x", "custom_states": "=\nx=paid"}))
