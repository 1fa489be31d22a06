"""Erasing one person: nothing of them is left anywhere, and of others nothing is missing."""

import pytest
from sqlalchemy import event

from bridge import care
from bridge.events import ConfigError, Delivery, Redaction, as_json, fingerprint
from bridge.receive import Received
from bridge.secrets import Vault
from bridge.store import Store, schema
from bridge.translate import translate_due
from tests.bridge.translate.line import connect
from tests.bridge.translate.shops import SHOPS
from tests.stores import SECRET_KEY, claim, put, rows, settle

from .people import ANN, JOANN, bought, erasure, everything, left_of, live, who

LEDGER = '[who]\ncustomers = "ledger"\n'
HOLD = LEDGER + "[purchase]\nhold_minutes = 60\n"
BACK = 7 * 3600  # to a time when the orders of both shops are not old enough to be sent


@pytest.fixture(params=SHOPS)
def line(request, store, clock):
    line = connect(store, request.param, plan=LEDGER)
    live(line)
    return line


def erase(line, redaction):
    return care.erase(line.store, erasure(redaction))


def of(line, person):
    """Return state and reason of the person's purchases."""
    ids = {str(one) for one in person.orders}
    return [(state, reason) for order_id, state, reason in line.purchases() if order_id in ids]


def dump(store, *but):
    """Return all rows of all tables, of which *but* are about to change."""
    return {
        table.name: rows(store, table.name)
        for table in schema.metadata.sorted_tables
        if table.name not in but
    }


def test_before_anything_is_erased_every_word_is_there(line):
    assert left_of(line.store, ANN) == ANN.words()
    assert left_of(line.store, JOANN) == JOANN.words()


@pytest.mark.parametrize("how", ["email", "phone", "customer", "orders"])
def test_nothing_of_a_person_is_left(line, how):
    count = erase(line, who(ANN, how))

    assert left_of(line.store, ANN) == []
    assert count == 4  # two raw bodies and two events
    assert of(line, ANN) == [("skipped", "erased")] * 2
    columns = ("order_id", "email_key", "phone_key", "customer_key")
    about = [row[1:] for row in rows(line.store, "outbox", *columns) if row[0] in {"101", "102"}]
    assert about == [(None, None, None)] * 2


@pytest.mark.parametrize("how", ["email", "phone", "customer", "orders"])
def test_of_others_nothing_is_missing(line, how):
    before = [one for one in dump(line.store)["outbox"] if "101" not in one and "102" not in one]
    erase(line, who(ANN, how))
    after = [one for one in dump(line.store)["outbox"] if "101" not in one and "102" not in one]

    assert left_of(line.store, JOANN) == JOANN.words()
    assert of(line, JOANN) == [("pending", "")] * 2
    assert after == before
    assert len(rows(line.store, "delivery_body")) == len(rows(line.store, "payload")) == 2
    assert set(rows(line.store, "known_customer", "order_id")) == {str(JOANN.orders[0])}


def test_all_keys_of_a_buyer_are_forgotten_whichever_one_was_named(line):
    before = rows(line.store, "known_customer", "order_id")
    erase(line, Redaction(email=ANN.email))

    assert sorted(before) == sorted([str(ANN.orders[0])] * 3 + [str(JOANN.orders[0])] * 3)
    assert rows(line.store, "known_customer", "order_id") == [str(JOANN.orders[0])] * 3


def test_the_ledger_of_purchases_stays_and_nothing_is_sent_again(line):
    before = rows(line.store, "purchase")
    erase(line, Redaction(email=ANN.email))
    line.tell(*bought(line.source.kind, ANN, 101, minute=9))

    assert rows(line.store, "purchase") == before
    assert of(line, ANN) == [("skipped", "erased")] * 2
    assert line.verdicts()[-1] == ("skip", "erased")


def test_what_was_sent_stays_sent_and_is_not_sent_again(line):
    for lane in line.store.outbox.lanes(line.store.now()):
        settle(line.store, claim(line.store, lane))
    erase(line, Redaction(email=ANN.email))
    line.tell(*bought(line.source.kind, ANN, 101, minute=9))

    assert of(line, ANN) == [("sent", "")] * 2
    assert line.verdicts()[-1] == ("skip", "decided_before")
    assert line.store.outbox.lanes(line.store.now()) == []


def test_what_is_being_sent_ends_by_its_answer(line):
    [lane] = line.store.outbox.lanes(line.store.now())
    taken = claim(line.store, lane)
    erase(line, Redaction(email=ANN.email))
    sending = of(line, ANN)
    settle(line.store, taken)

    assert sending == [("sending", "")] * 2
    assert of(line, ANN) == [("sent", "")] * 2
    assert left_of(line.store, ANN) == []


@pytest.mark.parametrize("how", ["email", "phone", "customer", "orders"])
def test_what_waits_is_skipped(store, clock, how):
    clock.move(-BACK)
    line = connect(store, "shopify", plan=HOLD)
    live(line)
    waiting = line.purchases()
    erase(line, who(ANN, how))
    clock.move(2 * 3600)
    translate_due(store)

    assert {one[1:] for one in waiting} == {("waiting", "held")}
    assert of(line, ANN) == [("skipped", "erased")] * 2
    assert of(line, JOANN) == [("pending", "")] * 2
    assert left_of(store, ANN) == []
    assert rows(store, "held") == rows(store, "held_key") == []


@pytest.mark.parametrize("how", ["email", "phone", "customer", "orders"])
def test_what_was_received_and_not_translated_is_opened_too(store, how):
    line = connect(store, "shopify")
    line.post(*bought("shopify", ANN, 101))
    line.post(*bought("shopify", JOANN, 202))
    erase(line, who(ANN, how))
    translate_due(store)

    assert line.ends() == [("dead", "erased"), ("translated", "")]
    assert left_of(store, ANN) == []
    assert line.purchases() == [("202", "pending", "")]


@pytest.mark.parametrize(
    "body",
    [
        b"not json: ann.canary@MAIL.example called",
        b'{"odd": [{"deep": "write\\nann.canary@mail.example"}]}',
        b'{"phone": "+49 (171) 555-98-76"}',
        b'{"phone": "call 0171/5559876, please"}',
        b'{"id": 7412345678901}',
    ],
)
def test_a_body_that_no_adapter_reads_is_searched_for_their_words(store, body):
    line = connect(store, "shopify")
    put(store, line.source, "odd", body)
    words = Redaction(email=ANN.email, phone=ANN.e164, customer_id=str(ANN.customer_id))
    erase(line, words)

    assert rows(store, "delivery_body") == []
    assert line.ends() == [("dead", "erased")]


@pytest.mark.parametrize(
    "body",
    [
        b"not json: jo.ann.canary@mail.example",
        b'{"mail": "ann.canary@mail.example.org"}',
        b'{"mail": "x-ann.canary@mail.example"}',
        b'{"phone": "+49 171 555 98 761", "id": 491715559876001}',
        b'{"id": 17412345678901, "ids": ["7412345678901x"]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_words_that_only_begin_or_end_alike_are_somebody_elses(store, body):
    line = connect(store, "shopify")
    put(store, line.source, "odd", body)
    words = Redaction(email=ANN.email, phone=ANN.e164, customer_id=str(ANN.customer_id))

    assert erase(line, words) == 0
    assert len(rows(store, "delivery_body")) == 1


def test_a_short_customer_id_is_no_word_to_search_for(store):
    line = connect(store, "woocommerce")
    line.post(*bought("woocommerce", JOANN, 12))

    assert erase(line, Redaction(customer_id="12")) == 0
    assert line.ends() == [("received", "")]


def test_only_the_shop_that_was_named_is_searched(store):
    lines = [connect(store, "woocommerce", word=word) for word in ("first", "second")]
    for line in lines:
        live(line)
    care.erase(store, erasure(who(ANN, "customer"), lines[0].source.id))

    assert of(lines[0], ANN) == [("skipped", "erased")] * 2
    assert of(lines[1], ANN) == [("pending", "")] * 2


def test_a_customer_id_is_somebody_else_in_another_shop(store):
    lines = [connect(store, "woocommerce", word=word) for word in ("first", "second")]
    lines[0].tell(*bought("woocommerce", ANN, 101))
    alike = type(JOANN)(**{**vars(JOANN), "customer_id": ANN.customer_id})
    lines[1].tell(*bought("woocommerce", alike, 101))
    care.erase(store, erasure(who(ANN, "customer"), lines[0].source.id))

    assert left_of(store, ANN) == []
    assert lines[1].purchases() == [("101", "pending", "")]


def test_what_a_browser_told_of_their_order_is_erased_with_it(store):
    line = connect(store, "woocommerce")
    for person, order_id in ((ANN, 101), (JOANN, 202)):
        topic, body = bought("woocommerce", person, order_id)
        told = {"keys": [f"order:{body['order_key']}"], "fbp": f"fb.1.1700000000000.{order_id}"}
        line.store.intake.put(line.source.id, collected(told, person.ip), store.now())
        line.post(topic, body | {"customer_ip_address": ""})
    translate_due(store)
    before = [word for word in (ANN.ip, JOANN.ip) if word in everything(store)]
    care.erase(store, erasure(Redaction(email=ANN.email)))

    assert before == [ANN.ip, JOANN.ip]
    assert len(rows(store, "visitor")) == len(rows(store, "visitor_key")) == 1
    assert [word for word in (ANN.ip, JOANN.ip) if word in everything(store)] == [JOANN.ip]


def collected(visitor, ip):
    """Return what the storefront script posts, of a buyer who said yes."""
    body = as_json({"visitor": visitor | {"consent": {"marketing": True, "at": 1795423777000}}})
    headers = {"ip": ip, "user-agent": "Mozilla/5.0"}
    return Delivery(topic="collected", key=fingerprint(body), body=body, headers=headers)


def test_a_new_key_finds_the_same_people(store, store_url, clock):
    line = connect(store, "shopify")
    live(line)
    fresh = Store(store_url, Vault("another key of thirty-two letters", [SECRET_KEY]), clock)
    fresh.rotation.rotate()
    only_new = Store(store_url, Vault("another key of thirty-two letters"), clock)
    care.erase(only_new, erasure(Redaction(email=ANN.email)))

    assert only_new.subject_key() == store.subject_key()
    assert left_of(only_new, ANN) == []
    assert of(line, ANN) == [("skipped", "erased")] * 2
    fresh.close()
    only_new.close()


def test_without_its_key_a_body_stops_the_erasure_and_says_so(store, store_url, clock):
    line = connect(store, "shopify")
    live(line)
    store.subject_key()
    other = Store(store_url, Vault("another key of thirty-two letters"), clock)

    with pytest.raises(ConfigError, match="SECRET_KEY"):
        care.erase(other, erasure(Redaction(email=ANN.email)))
    other.close()


def test_a_damaged_body_stops_nobodys_erasure(store):
    line = connect(store, "shopify")
    live(line)
    table = schema.delivery_body
    [sealed] = rows(store, "delivery_body", "delivery_id", "body")[2:3]
    with store.database.write() as connection:
        ours = table.c.delivery_id == sealed[0]
        connection.execute(table.update().where(ours).values(body=sealed[1][:-1]))
    erase(line, Redaction(email=ANN.email))

    assert of(line, ANN) == [("skipped", "erased")] * 2
    assert len(rows(store, "delivery_body")) == 2


@pytest.mark.parametrize("when", ["bodies", "events"])
def test_a_batch_that_was_read_before_is_not_written_after(store, when):
    line = connect(store, "shopify")
    line.post(*bought("shopify", ANN, 101))
    line.post(*bought("shopify", JOANN, 202))
    commit = store.translations.commit

    def late(*written):
        store.translations.commit = commit
        care.erase(store, erasure(Redaction(email=ANN.email)))
        return commit(*written)

    store.translations.commit = late
    translate_due(store)
    translate_due(store)

    assert left_of(store, ANN) == []
    assert line.purchases() == [("202", "pending", "")]
    assert line.ends() == [("dead", "erased"), ("translated", "")]


def test_erasing_twice_finds_nothing_more(line):
    erase(line, Redaction(email=ANN.email))

    assert erase(line, Redaction(email=ANN.email)) == 0


def test_what_would_be_erased_is_what_is_erased(line):
    for how in ("email", "phone", "customer", "orders"):
        assert care.count(line.store, erasure(who(ANN, how))) == 4
    before = dump(line.store)
    care.count(line.store, erasure(Redaction(whole_shop=True)))

    assert dump(line.store) == before
    assert care.count(line.store, erasure(Redaction(whole_shop=True))) == 8
    assert erase(line, Redaction(whole_shop=True)) == 8


def test_five_thousand_bodies_are_read_in_few_queries(memory):
    line = connect(memory, "shopify")
    many = 5_000
    with memory.database.write() as connection:
        sealed = memory.vault.seal(b"{}\n{}", "delivery")
        known = {"source_id": line.source.id, "topic": "t", "state": "translated", "received_at": 1}
        connection.execute(
            schema.delivery.insert(), [{**known, "key": str(one)} for one in range(many)]
        )
        connection.execute(
            schema.delivery_body.insert(),
            [{"delivery_id": one + 1, "body": sealed} for one in range(many)],
        )
    queries = Counter(memory)
    erase(line, Redaction(email=ANN.email))

    assert queries.count < many / 100 * 3 + 50


class Counter:
    """Counts what is asked of the database from now on."""

    def __init__(self, store):
        self.count = 0
        event.listen(store.database.engine, "before_cursor_execute", self._one)

    def _one(self, *_):
        self.count += 1


def test_an_unknown_person_changes_nothing(line):
    before = dump(line.store)

    assert erase(line, Redaction(email="nobody@mail.example", phone="+4915112345678")) == 0
    assert dump(line.store) == before
    assert line.post(*bought(line.source.kind, ANN, 103)) is Received.STORED
