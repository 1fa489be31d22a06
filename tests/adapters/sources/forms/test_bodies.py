"""Forms: a body is read as events, and a field in a wrong form is refused by its name."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.events import Amounts, Occasion, OriginalEvent, event_id, fingerprint
from bridge.events.testing import RECEIVED_AT

from .sender import LEAD, lead, refusal, translate

AT = datetime(2026, 11, 23, 9, 8, 27, tzinfo=UTC)


def test_a_lead_has_the_senders_id():
    event = lead()

    assert event_id(event.occasion, event.subject_id) == "form.enquiry-7301"


@pytest.mark.parametrize("name", ["Contact", "Schedule", "CompleteRegistration", "My_Own-1"])
def test_another_name_stands_for_itself(name):
    event = lead(event_name=name)

    assert event.occasion == name
    assert event_id(event.occasion, event.subject_id) == f"{name}.enquiry-7301"


@pytest.mark.parametrize("name", [None, "", " ", 7, ["Lead"], "1st", "a b", "x" * 51, *Occasion])
def test_what_is_no_event_name_is_refused(name):
    assert refusal(event_name=name).reason == "bad_event_name"


def test_without_an_id_the_body_is_the_id():
    body = b'{"event_name": "Lead"}'

    assert translate(body)[0].subject_id == fingerprint(body)
    assert translate(body) == translate(body)


@pytest.mark.parametrize(
    "told", ["2026-11-23T10:08:27+01:00", 1795424907, 1795424907.58, "1795424907"]
)
def test_a_time_has_a_zone_or_is_in_unix_seconds(told):
    assert lead(event_time=told).event_time == AT


@pytest.mark.parametrize(
    "told", ["2026-11-23T10:08:27", "23.11.2026", 1795424907580, 0, -1, True, {}, []]
)
def test_a_time_that_would_have_to_be_guessed_is_refused(told):
    assert refusal(event_time=told).reason == "bad_event_time"


def test_without_a_time_it_is_when_it_was_received():
    assert lead(event_time=None).event_time == RECEIVED_AT


def test_without_any_time_there_is_no_event():
    with pytest.raises(Exception, match="event_time is not told"):
        translate({"event_name": "Lead"}, received_at=None)


def test_a_value_needs_its_currency():
    basket = lead(custom_data={"value": "40.50", "currency": "eur"}).basket

    assert basket.amounts == Amounts(currency="EUR", total=Decimal("40.50"))
    assert lead(custom_data={"currency": "EUR"}).basket.amounts is None
    assert refusal(custom_data={"value": 40}).reason == "bad_currency"


def test_plain_values_of_your_own_are_custom_properties():
    told = {"form": "kitchen", "budget": 12000.5, "rooms": 4, "callback": False, "nothing": None}

    extra = lead(custom_data=told).extra

    assert extra == {"form": "kitchen", "budget": "12000.5", "rooms": "4", "callback": "false"}


def test_what_tells_who_it_was_is_no_custom_property():
    told = {"Email": "x", "note": "write to a@b.example", "full_name": "Tom", "phone": "1"}
    told |= {"contents": "x", "event_source": "web", "long": "x" * 201, "a b": "x", "list": ["x"]}

    assert lead(custom_data=told).extra == {}


def test_there_are_twenty_custom_properties_at_most():
    assert len(lead(custom_data={f"key{number}": "x" for number in range(30)}).extra) == 20


def test_an_action_source_is_one_that_meta_knows():
    assert lead(action_source="chat").action_source == "chat"
    assert lead().action_source is None
    assert refusal(action_source="tv").reason == "bad_action_source"


def test_a_late_stage_is_told_as_the_crms():
    event = lead(
        event_name="Won",
        lead={"id": 1234567890123456, "stage": "won", "event_source": "Example CRM"},
        original_event={"event_name": "Lead", "event_id": "form.1", "event_time": 1795424907},
    )

    assert event.action_source == "system_generated"
    assert event.user_data.lead_id == "1234567890123456"
    assert event.original_event == OriginalEvent(
        event_name="Lead", event_id="form.1", event_time=AT
    )
    assert {name: event.extra[name] for name in event.extra if name != "form"} == {
        "lead_stage": "won",
        "event_source": "crm",
        "lead_event_source": "Example CRM",
    }


def test_the_sender_may_say_where_a_stage_was_reached():
    event = lead(lead={"stage": "won"}, action_source="phone_call")

    assert event.action_source == "phone_call"
    assert event.extra == {"form": "kitchen planning", "lead_stage": "won", "event_source": "crm"}


@pytest.mark.parametrize("own", ["L-77", "12345", "", None, True, {}])
def test_a_leads_id_of_your_own_is_not_told_as_metas(own):
    assert lead(lead={"id": own}).user_data.lead_id is None


def test_up_to_a_hundred_events_come_in_one_body():
    events = translate({"events": [{**LEAD, "event_id": number} for number in range(1, 101)]})

    assert [event.subject_id for event in events] == [str(number) for number in range(1, 101)]
    assert translate({"events": []}) == []


def test_events_of_one_body_without_ids_have_ids_of_their_own():
    events = translate({"events": [{"event_name": "Lead"}, {"event_name": "Lead"}]})

    assert len({event.subject_id for event in events}) == 2


@pytest.mark.parametrize("events", [None, {}, "Lead", ["Lead"], [LEAD, None], [LEAD] * 101])
def test_what_is_no_list_of_events_is_refused(events):
    assert refusal(events=events).reason == "bad_events"


def test_one_bad_event_refuses_all_and_is_named():
    error = refusal(events=[LEAD, {**LEAD, "custom_data": {"value": "much"}}])

    assert error.reason == "bad_value"
    assert str(error) == "events[1].custom_data.value is not a number"


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": "a b"},
        {"event_source_url": ["https://www.example.com"]},
        {"user_data": "tom.beispiel@example.com"},
        {"browser": []},
        {"consent": True},
        {"custom_data": [1]},
        {"lead": "won"},
        {"original_event": "Lead"},
    ],
)
def test_a_refusal_names_the_field_and_no_value(changes):
    [(name, value)] = changes.items()

    error = refusal(**changes)

    assert error.reason == f"bad_{name}"
    assert str(error).startswith(f"{name} is not ")
    assert str(value) not in str(error)


def test_unknown_fields_are_ignored():
    assert lead(colour="blue", user_data={**LEAD["user_data"], "shoe_size": 43}) == lead()
