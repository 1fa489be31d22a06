"""Erasures that shops ask for: carried out once, whatever happens in between, and noted."""

import logging

import pytest

from bridge import alerts, care, registry
from bridge.events import ConfigError, Redaction
from bridge.receive import Received
from bridge.secrets import Vault
from bridge.store import Store, StoreError
from bridge.translate import translate_due
from bridge.worker import Worker
from tests.bridge.translate.line import DELIVERIES, connect
from tests.bridge.translate.shops import order, recorded
from tests.stores import rows

from .people import ANN, JOANN, bought, everything, left_of, live

REDACTED = "privacy.erased"


@pytest.fixture
def line(store):
    line = connect(store, "shopify")
    live(line)
    return line


def redaction(person, *order_ids):
    """Return topic and body with which Shopify asks to erase *person*."""
    body = recorded("shopify/customers_redact")
    body["customer"] = {
        "id": person.customer_id,
        "email": person.email,
        "phone": person.e164,
    }
    return "customers/redact", body | {"orders_to_redact": list(order_ids)}


def audit(store):
    return rows(store, "audit", "actor", "action", "subject", "detail")


def asked(store):
    return [one.redaction for one in store.subjects.asked()]


def test_a_shop_asks_and_the_next_turn_of_care_erases(line):
    line.tell(*redaction(ANN, 101))
    noted = asked(line.store)

    assert noted == [
        Redaction(
            customer_id=str(ANN.customer_id),
            email=ANN.email,
            phone=ANN.e164,
            order_ids=("101",),
        )
    ]
    assert care.erase_asked(line.store) == 1
    assert care.erase_asked(line.store) == 0
    assert left_of(line.store, ANN) == []
    assert left_of(line.store, JOANN) == JOANN.words()
    assert rows(line.store, "erasure") == []


def test_the_audit_names_nobody(line):
    line.tell(*redaction(ANN, 101))
    care.erase_asked(line.store)

    found = [row for row in audit(line.store) if row[1] == REDACTED]
    assert found == [("shop", REDACTED, f"source {line.source.id}", "4 records")]


def test_the_request_itself_is_not_kept_beyond_its_translation(line):
    before = len(rows(line.store, "delivery_body"))
    line.tell(*redaction(ANN))

    assert len(rows(line.store, "delivery_body")) == before
    assert line.ends()[-1] == ("translated", "")


def test_other_peoples_requests_outlive_an_erasure(line):
    line.tell(*redaction(ANN))
    line.post(*redaction(JOANN))
    care.erase_asked(line.store)
    translate_due(line.store)
    care.erase_asked(line.store)

    assert left_of(line.store, ANN) == left_of(line.store, JOANN) == []
    assert line.ends()[-2:] == [("translated", "")] * 2


def test_a_request_for_orders_alone_erases_these(line):
    line.tell(
        *redaction(type(ANN)(**{**vars(ANN), "customer_id": 0, "email": "", "e164": ""}), 101)
    )
    care.erase_asked(line.store)

    ends = {row[0]: row[1:] for row in line.purchases()}
    assert ends["101"] == ("skipped", "erased")
    assert ends["102"] == ("pending", "")


def test_a_deleted_customer_of_whom_the_id_alone_is_told_is_erased(store):
    line = connect(store, "woocommerce")
    live(line)
    line.tell("customer.deleted", {"id": ANN.customer_id})
    care.erase_asked(store)

    assert left_of(store, ANN) == []
    assert left_of(store, JOANN) == JOANN.words()


@pytest.mark.parametrize("crash_at", ["erase_bodies", "erase_events", "audit", "done"])
def test_a_crash_in_the_middle_is_made_good_at_the_next_turn(line, monkeypatch, crash_at):
    line.tell(*redaction(ANN))
    holder = line.store.history if crash_at == "audit" else line.store.subjects

    def crash(*_, **__):
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(holder, crash_at, crash)
        with pytest.raises(SystemExit):
            care.erase_asked(line.store)
    again = care.erase_asked(line.store)

    assert again == 1
    assert left_of(line.store, ANN) == []
    assert rows(line.store, "erasure") == []
    assert REDACTED in [row[1] for row in audit(line.store)]


def test_a_new_process_finds_what_was_asked_for(line, store_url, clock):
    line.tell(*redaction(ANN))
    other = Store(store_url, line.store.vault, clock)

    assert care.erase_asked(other) == 1
    assert left_of(line.store, ANN) == []
    other.close()


def test_one_that_cannot_be_carried_out_holds_up_no_other(store, monkeypatch, caplog):
    lines = [connect(store, "shopify", word=word) for word in ("first", "second")]
    for line in lines:
        line.tell(*bought("shopify", ANN, 101))
        line.tell(*redaction(ANN))
    find = registry.source

    def missing(kind):
        if gone:
            gone.pop()
            raise ConfigError("source: there is no adapter of this kind")
        return find(kind)

    gone = [1]
    monkeypatch.setattr(registry, "source", missing)

    with caplog.at_level(logging.ERROR, "bridge.care"):
        assert care.erase_asked(store) == 1
    assert [record.message for record in caplog.records] == ["privacy.erasure_failed"]
    assert len(asked(store)) == 1
    assert care.erase_asked(store) == 1
    assert left_of(store, ANN) == []


def test_without_the_key_the_request_stays_and_old_rows_are_dropped_all_the_same(
    line, store_url, clock, monkeypatch
):
    line.tell(*redaction(ANN))
    other = Store(store_url, Vault("another key of thirty-two letters"), clock)
    purged = []
    monkeypatch.setattr("bridge.worker.purge", lambda *_: purged.append(1))
    worker = Worker.__new__(Worker)
    vars(worker).update(_store=other, _config=None, _stopping=StopNever())

    with pytest.raises(ConfigError, match="SECRET_KEY"):
        worker._care()
    assert purged == [1]
    assert len(rows(other, "erasure")) == 1
    other.close()


class StopNever:
    def is_set(self):
        return False


def test_a_database_that_is_down_is_tried_again_later(line, monkeypatch):
    line.tell(*redaction(ANN))

    def down(*_):
        raise StoreError("database: locked")

    monkeypatch.setattr(line.store.subjects, "erase_events", down)

    with pytest.raises(StoreError):
        care.erase_asked(line.store)
    assert len(asked(line.store)) == 1


def test_a_whole_shop_is_erased_after_the_app_was_removed(store):
    lines = [connect(store, "shopify", word=word, datasets=(word,)) for word in ("first", "second")]
    for line in lines:
        live(line)
    gone = lines[0]
    gone.tell("app/uninstalled", recorded("shopify/app_uninstalled"))
    disconnected = store.connections.source("first").state
    received = gone.post("shop/redact", recorded("shopify/shop_redact"))
    translated = translate_due(store)
    care.erase_asked(store)

    assert (disconnected, received, translated) == ("disconnected", Received.STORED, 1)
    assert {row[1:] for row in gone.purchases()} == {("skipped", "erased")}
    assert {row[1:] for row in lines[1].purchases()} == {("pending", "")}
    kept = rows(store, "delivery_body", "delivery_id")
    ours = rows(store, "delivery", "id", "source_id")
    assert {row[1] for row in ours if row[0] in kept} == {lines[1].source.id}
    assert len(rows(store, "payload")) == 4
    assert {row[0] for row in rows(store, "known_customer", "source_id", "key")} <= {
        lines[1].source.id
    }


def test_nothing_of_a_lone_shops_people_is_left(line):
    line.post(*bought("shopify", ANN, 103))
    line.post("shop/redact", recorded("shopify/shop_redact"))
    translate_due(line.store)
    care.erase_asked(line.store)

    assert left_of(line.store, ANN) == left_of(line.store, JOANN) == []
    assert rows(line.store, "delivery_body") == rows(line.store, "payload") == []
    assert rows(line.store, "known_customer") == []


def test_a_whole_shop_is_erased_chunk_by_chunk(memory, monkeypatch):
    monkeypatch.setattr("bridge.store.subjects.CHUNK", 2)
    line = connect(memory, "shopify")
    for number in range(5):
        line.tell(*bought("shopify", ANN, 300 + number))
    memory.subjects.ask(line.source.id, Redaction(whole_shop=True), "cli")
    care.erase_asked(memory)

    assert {row[1:] for row in line.purchases()} == {("skipped", "erased")}
    assert rows(memory, "payload") == rows(memory, "delivery_body") == []


def test_what_a_person_asks_for_is_noted_with_its_number_alone(line):
    line.tell("customers/data_request", recorded("shopify/customers_data_request"))

    assert audit(line.store)[-1] == (
        "shop",
        "privacy.data_requested",
        f"source {line.source.id}",
        "99123",
    )
    assert asked(line.store) == []


def test_its_operator_is_told_while_there_is_time_to_answer(line, clock):
    line.tell("customers/data_request", recorded("shopify/customers_data_request"))
    told = []
    for days in (1, 30):
        clock.move(days * 86_400)
        alerts.inspect(line.store)
        told.append(
            [one.message for one in line.store.watches.alerts() if one.kind == "data_request"]
        )

    assert "Answer the shop's request within 30 days" in told[0][0]
    assert told[1] == []


def test_a_data_request_of_an_erased_person_goes_with_them(line):
    body = recorded("shopify/customers_data_request")
    body["customer"] |= {"id": ANN.customer_id, "email": "other@mail.example", "phone": None}
    line.tell("customers/data_request", body)
    line.tell(*redaction(ANN))
    care.erase_asked(line.store)

    assert "other@mail.example" not in everything(line.store)


def test_an_order_that_comes_after_the_erasure_is_a_new_word_of_theirs(line):
    line.tell(*redaction(ANN))
    care.erase_asked(line.store)
    line.tell(*bought("shopify", ANN, 105))

    assert ("105", "pending", "") in line.purchases()


def test_a_revoked_shop_is_translated_on_but_told_to_stop(line):
    line.tell("app/uninstalled", recorded("shopify/app_uninstalled"))
    line.tell(*order("shopify", 900, "paid"))

    assert line.store.connections.source("shop").state == "disconnected"
    assert ("900", "pending", "") in line.purchases()
    assert ("shop", "source.disconnected", f"source {line.source.id}", "") in audit(line.store)


def test_the_recorded_privacy_requests_end_as_translated(store):
    line = connect(store, "shopify")
    for case in ("customers_redact", "customers_data_request", "app_uninstalled", "shop_redact"):
        line.post_recorded(DELIVERIES / "shopify" / case)
    translate_due(store)

    assert line.ends() == [("translated", "")] * 4
