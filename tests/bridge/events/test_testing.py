"""The shipped contracts: sound adapters pass, and each kind of fault is found."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.events import (
    Amounts,
    Basket,
    Channel,
    Event,
    SourceAdapter,
    UserData,
    VerificationError,
)
from bridge.events.testing import (
    as_plain,
    check_facts,
    expectation,
    read_request,
    read_settings,
    write_expectation,
)

pytest_plugins = "pytester"

CONTRACTS = """
from datetime import UTC, datetime
from pathlib import Path

from bridge.events import Conversion, UserData
from bridge.events.testing import DestinationContract, SourceContract
from contract_faults import DESTINATIONS, SOURCES

FULL = Conversion(
    event_name="Purchase",
    event_id="purchase.7",
    event_time=datetime(2026, 11, 23, tzinfo=UTC),
    action_source="website",
    user_data=UserData(
        email="ada@example.com", phone="+49 151 2345678", first_name="Adaline",
        last_name="Lovelace", city="Utrecht", zip="3511AB", customer_id="cust-4711",
    ),
)
SOURCE = {"deliveries": Path(__file__).parent / "deliveries"}
DESTINATION = {"settings": {"token": "very-secret-token"}, "conversions": (FULL,)}

for contract, adapters, told in (
    (SourceContract, SOURCES, SOURCE),
    (DestinationContract, DESTINATIONS, DESTINATION),
):
    for each in adapters:
        name = "Test" + each.__name__
        globals()[name] = type(name, (contract,), {**told, "adapter": each()})
"""


def test_the_contracts_pass_sound_adapters_and_find_each_fault(pytester):
    pytester.syspathinsert(Path(__file__).parent)
    from contract_fakes import record_deliveries
    from contract_faults import DESTINATIONS, SOURCES

    record_deliveries(pytester.mkdir("deliveries"))
    pytester.makepyfile(test_it=CONTRACTS)
    passed, skipped, failed = pytester.inline_run("-q", "--tb=no").listoutcomes()

    found = {each.__name__: set() for each in SOURCES + DESTINATIONS}
    for report in failed:
        _, adapter, test = report.nodeid.split("::")
        found[adapter.removeprefix("Test")].add(test.partition("[")[0])
    wanted = {each.__name__: set(getattr(each, "found_by", ())) for each in SOURCES + DESTINATIONS}
    missed = {name: tests - found[name] for name, tests in wanted.items() if tests - found[name]}
    assert not skipped
    assert len(passed) > 200
    assert found["Stall"] == found["Board"] == set()
    assert missed == {}


def test_each_delivery_that_fails_is_named_and_pings_are_not_judged_as_signed(pytester):
    pytester.syspathinsert(Path(__file__).parent)
    from contract_fakes import record_deliveries

    record_deliveries(pytester.mkdir("deliveries"))
    pytester.makepyfile(test_it=CONTRACTS)
    result = pytester.runpytest_inprocess("-q", "-k", "TestAnySignature and changed_body")

    told = "\n".join(result.outlines)
    assert "delivery: other/broken" in told
    assert "delivery: sold" in told
    assert "delivery: other/ping" not in told


def test_a_fact_is_plain_json_without_its_defaults():
    event = Event(
        occasion="purchase",
        subject_id="7",
        event_time=datetime(2026, 11, 23, tzinfo=UTC),
        channel=Channel.WEB,
        tags=("a",),
        user_data=UserData(email="ada@example.com"),
        basket=Basket(amounts=Amounts(currency="EUR", total=Decimal("9.50"))),
    )

    assert as_plain(event) == {
        "fact": "Event",
        "occasion": "purchase",
        "subject_id": "7",
        "event_time": "2026-11-23T00:00:00+00:00",
        "channel": "web",
        "tags": ["a"],
        "user_data": {"email": "ada@example.com"},
        "basket": {"amounts": {"currency": "EUR", "total": "9.50"}},
    }
    assert json.loads(json.dumps(as_plain(event))) == as_plain(event)


class Deaf(SourceAdapter):
    """Has no interest in anything, and knows no secret."""

    def verify(self, request, settings):
        raise VerificationError("unknown")


def test_settings_that_are_lists_have_one_entry_a_line(tmp_path):
    (tmp_path / "settings.json").write_text('{"secret": ["a", "b"], "word": "shop"}')

    assert read_settings(tmp_path) == {"secret": "a\nb", "word": "shop"}


def test_an_expectation_is_written_and_read_again(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    from contract_fakes import Stall, record_deliveries

    record_deliveries(tmp_path)
    case, settings = tmp_path / "sold", read_settings(tmp_path)
    (case / "events.json").unlink()

    write_expectation(Stall(), case, settings)

    written = json.loads((case / "events.json").read_text())
    assert written == expectation(Stall(), case, settings)
    assert read_request(case).header("X-TOPIC") == "sold"


def test_an_unverified_case_has_no_expectation(tmp_path):
    (tmp_path / "headers.json").write_text("{}")
    (tmp_path / "body.json").write_bytes(b"{}")

    with pytest.raises(VerificationError):
        expectation(Deaf(), tmp_path, {})


@pytest.mark.parametrize("total", [Decimal("NaN"), Decimal("Infinity")])
def test_money_that_is_not_finite_is_unsound(total):
    basket = Basket(amounts=Amounts(currency="EUR", total=total))
    event = Event(
        occasion="purchase",
        subject_id="7",
        event_time=datetime(2026, 11, 23, tzinfo=UTC),
        basket=basket,
    )

    with pytest.raises(AssertionError):
        check_facts([event])
