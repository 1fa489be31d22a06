"""``log`` and ``explain``: what happened to every delivery and event, and why."""

import json
from pathlib import Path

import pytest

from bridge.events import Delivery
from bridge.translate import translate_due

from .conftest import HUSH, assert_one_sentence

ORDERS = Path(__file__).parents[2] / "deliveries" / "shopify"
CANARIES = ("Juergen", "example.com", "+491713920000", "Köln")


@pytest.fixture
def worked(connected, cli, store):
    """A paid order that is due, a till's that is skipped, and a delivery that is dead."""
    source = store.connections.source("shop")
    bodies = [
        (ORDERS / "orders_paid" / "body.json").read_bytes(),
        (ORDERS / "orders_create_pos" / "body.json").read_bytes(),
        b"not json, canary@example.com",
    ]
    for number, body in enumerate(bodies):
        delivery = Delivery(topic="orders/paid", key=str(number), body=body)
        store.intake.put(source.id, delivery, store.now())
    translate_due(store)
    return cli


def test_the_log_lists_events_newest_first(worked):
    listed = worked("log", "--json").json
    table = worked("log")

    assert len(listed) == 2
    assert listed[0]["id"] > listed[1]["id"]
    assert {one["state"] for one in listed} <= {"pending", "skipped", "expired"}
    assert all(one["reason"] for one in listed if one["state"] != "pending")
    assert [one["event_id"] in table.out for one in listed] == [True, True]


def test_the_log_lists_deliveries_with_the_reason_why_they_are_dead(worked):
    listed = worked("log", "--deliveries", "--json").json
    dead = worked("log", "--deliveries", "--state", "dead", "--json").json
    table = worked("log", "--deliveries")

    assert [one["state"] for one in listed] == ["dead", "translated", "translated"]
    assert [(one["reason"], one["detail"]) for one in dead] == [
        ("not_json", "the body is not sound JSON")
    ]
    assert "not_json" in table.out


def test_the_log_is_cut_and_filtered(worked):
    assert len(worked("log", "--limit", 1, "--json").json) == 1
    assert worked("log", "--state", "dead", "--json").json == []
    assert worked("log", "--limit", 0).code == 2


def test_an_event_is_explained_by_its_id_its_order_or_its_number(worked):
    event_id = next(
        one["event_id"] for one in worked("log", "--json").json if one["order_number"] == "#2417"
    )
    number = event_id.removeprefix("purchase.")

    stories = [worked("explain", name, "--json").json for name in (event_id, number, "#2417")]
    told = worked("explain", event_id)

    assert stories[0] == stories[1] == stories[2]
    assert set(stories[0]) == {"events", "verdicts", "receipts"}
    assert event_id in told.out
    assert "orders/paid" in told.out
    assert told.code == 0


def test_a_skipped_event_is_explained_in_plain_english(worked):
    skipped = next(one for one in worked("log", "--json").json if one["state"] == "skipped")

    told = worked("explain", skipped["event_id"])

    assert skipped["reason"] in told.out
    assert any(line.startswith("  ") and line.endswith(".") for line in told.out.splitlines())


def test_what_nobody_knows_is_an_exit_of_1(worked):
    person = worked("explain", "purchase.nothing")
    script = worked("explain", "purchase.nothing", "--json")

    assert (person.code, person.out) == (1, "")
    assert person.complaint.count("\n") == 1
    assert script.code == 1
    assert json.loads(script.out)["events"] == []


def test_nothing_that_is_shown_is_personal_or_secret(worked):
    listed = worked("log", "--json").json
    shown = [
        worked("log"),
        worked("log", "--json"),
        worked("log", "--deliveries"),
        worked("log", "--deliveries", "--json"),
        *(worked("explain", one["event_id"]) for one in listed),
        *(worked("explain", one["event_id"], "--json") for one in listed),
    ]

    text = "".join(ended.out + ended.complaint for ended in shown)
    assert [canary for canary in (*CANARIES, HUSH) if canary in text] == []


def test_a_wrong_key_is_told_in_one_sentence(worked, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "another key that opens nothing of this database")

    assert_one_sentence(worked("source", "show", "shop"), "SECRET_KEY")
