"""Settings: accounts, data, the plan, the log."""

import csv
import io
import re

import pytest

from bridge import care
from bridge import plan as plans
from bridge.web.admin import passwords
from tests.fakes.browser import PASSWORD, Browser
from tests.stores import commit, rows

SETTINGS = "/admin/settings"
SHOWN = re.compile(r'readonly value="([^"]+)"')


@pytest.fixture
def owner(application):
    return Browser(application).signed_in(name="anna", password=PASSWORD)


@pytest.fixture
def reader(application, owner):
    return Browser(application).signed_in("reader", "ray")


@pytest.fixture
def operator(application, owner):
    return Browser(application).signed_in("operator", "olga")


@pytest.fixture
def connected(store):
    """Return a source whose adapter is there."""
    return store.connections.add_source("shopify", "shop", {"secret": "hush"}, "w1")


def id_of(store, name):
    return dict(zip(rows(store, "operator", "name"), rows(store, "operator", "id"), strict=True))[
        name
    ]


def audited(store):
    return rows(store, "audit", "actor", "action", "subject", "detail")


def test_a_password_is_changed_and_all_other_sessions_end(application, owner, store):
    other = Browser(application).as_operator(store.accounts.operators()[0])
    old = owner.token
    new = "another stable with lamps"
    answer = owner.post(f"{SETTINGS}/password", current=PASSWORD, password=new, again=new)

    assert answer.status_code == 303
    assert owner.token != old
    assert "The password is changed." in owner.get(SETTINGS).text
    assert "The password is changed." not in owner.get(SETTINGS).text
    assert other.get(SETTINGS).status_code == 303
    _, password_hash = store.accounts.operator("anna")
    assert passwords.matches(password_hash, new)
    assert audited(store)[-1] == ("anna", "operator.password", "anna", "")


@pytest.mark.parametrize(
    ("current", "password", "again"),
    [
        ("wrong password", "another stable", "another stable"),
        (PASSWORD, "short", "short"),
        (PASSWORD, "another stable", "another table"),
    ],
)
def test_a_password_stays_where_something_is_wrong(owner, store, current, password, again):
    before = store.accounts.operator("anna")
    form = {"current": current, "password": password, "again": again}
    answer = owner.post(f"{SETTINGS}/password", **form)

    assert answer.status_code == 422
    assert password not in answer.text.replace("shortcut", "")
    assert store.accounts.operator("anna") == before


def test_guessing_the_current_password_is_slow(owner, store):
    new = {"password": "another stable", "again": "another stable"}
    owner.post(f"{SETTINGS}/password", current="wrong password", **new)
    answer = owner.post(f"{SETTINGS}/password", current=PASSWORD, **new)

    assert answer.status_code == 422


def test_sessions_are_listed_and_ended_one_by_one(application, owner, store):
    anna = store.accounts.operators()[0]
    other = Browser(application).as_operator(anna)
    (first, second) = store.accounts.sessions(anna.id)
    mine = store.accounts.session(owner.token)
    theirs = second if first.id == mine.id else first
    owner.post(f"{SETTINGS}/sessions/{theirs.id}/end")

    assert other.get(SETTINGS).status_code == 303
    assert owner.get(SETTINGS).status_code == 200
    assert owner.post(f"{SETTINGS}/sessions/{mine.id}/end").location == "/admin/login"
    assert rows(store, "session") == []


def test_nobody_ends_the_session_of_another(owner, reader, store):
    mine = store.accounts.session(owner.token)
    answer = reader.post(f"{SETTINGS}/sessions/{mine.id}/end")

    assert answer.status_code == 404
    assert owner.get(SETTINGS).status_code == 200


def test_an_operator_is_added_with_a_password_shown_once(application, owner, store):
    answer = owner.post(f"{SETTINGS}/operators", name="Ben@Example.com", role="reader")
    (password,) = SHOWN.findall(answer.text)

    _, password_hash = store.accounts.operator("ben@example.com")
    assert passwords.matches(password_hash, password)
    assert password not in owner.get(f"{SETTINGS}/operators").text
    assert all(password not in str(line) for line in audited(store))
    assert audited(store)[-1] == ("anna", "operator.added", "ben@example.com", "reader")


@pytest.mark.parametrize(("name", "status"), [("anna", 422), ("two words", 422), ("", 422)])
def test_an_operator_needs_a_name_of_its_own(owner, store, name, status):
    answer = owner.post(f"{SETTINGS}/operators", name=name, role="owner")

    assert answer.status_code == status
    assert rows(store, "operator", "name") == ["anna"]


def test_a_role_that_is_none_is_refused(owner, store):
    assert owner.post(f"{SETTINGS}/operators", name="eve", role="root").status_code == 400


def test_a_role_is_changed_and_takes_effect_at_once(owner, operator, store):
    path = f"{SETTINGS}/operators/{id_of(store, 'olga')}/role"
    owner.post(path, role="reader")

    assert operator.get(SETTINGS).status_code == 303
    assert store.accounts.operator("olga")[0].role == "reader"
    assert audited(store)[-1] == ("anna", "operator.role", "olga", "reader")


def test_a_password_is_reset_and_shown_once(owner, operator, store):
    path = f"{SETTINGS}/operators/{id_of(store, 'olga')}/password"
    (password,) = SHOWN.findall(owner.post(path).text)

    assert passwords.matches(store.accounts.operator("olga")[1], password)
    assert operator.get(SETTINGS).status_code == 303


def test_ones_own_password_is_not_reset_without_the_current_one(owner, store):
    before = store.accounts.operator("anna")
    owner.post(f"{SETTINGS}/operators/{id_of(store, 'anna')}/password")

    assert store.accounts.operator("anna") == before


def test_an_operator_is_removed_and_out_at_once(owner, operator, store):
    owner.post(f"{SETTINGS}/operators/{id_of(store, 'olga')}/remove")

    assert operator.get(SETTINGS).status_code == 303
    assert rows(store, "operator", "name") == ["anna"]


@pytest.mark.parametrize(("act", "form"), [("remove", {}), ("role", {"role": "reader"})])
def test_the_last_owner_is_kept_and_told(owner, store, act, form):
    owner.post(f"{SETTINGS}/operators/{id_of(store, 'anna')}/{act}", **form)

    assert store.accounts.operator("anna")[0].role == "owner"
    assert "The last owner stays an owner." in owner.get(SETTINGS).text


def test_a_reader_sees_no_tab_that_would_be_refused(reader):
    tabs = re.findall(r'<a href="(/admin/settings[^"]*)"', reader.get(SETTINGS).text)

    assert f"{SETTINGS}/operators" not in tabs
    assert all(reader.get(path).status_code == 200 for path in tabs)


def test_the_log_is_read_page_by_page(owner, store):
    for number in range(120):
        store.history.audit("cli", "test.change", f"subject-{number:03}")
    seen, path = [], f"{SETTINGS}/log"
    while path:
        text = owner.get(path).text
        seen += re.findall(r"subject-\d+", text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older and older[1].replace("&amp;", "&")

    assert seen == [f"subject-{number:03}" for number in reversed(range(120))]


def test_what_stands_in_the_log_is_shown_as_text(owner, store):
    store.history.audit("cli", "test.change", "<script>alert(1)</script>")

    assert "<script>alert" not in owner.get(f"{SETTINGS}/log").text


def test_an_erasure_is_handed_to_the_worker(operator, store, connected):
    form = {"email": "canary@example.com", "do": "erase"}
    answer = operator.post(f"{SETTINGS}/data/erase", **form)

    assert answer.status_code == 303
    assert "canary" not in answer.location
    (asked,) = store.subjects.asked()
    assert (asked.redaction.email, asked.actor) == ("canary@example.com", "olga")
    assert audited(store)[-1] == ("olga", "privacy.erasure_asked", "everywhere", "")
    assert care.erase_asked(store) == 1
    assert audited(store)[-1][:2] == ("olga", "privacy.erased")
    assert all("canary" not in str(line) for line in audited(store))


def test_counting_erases_nobody(operator, store, connected):
    answer = operator.post(f"{SETTINGS}/data/erase", email="canary@example.com", do="count")

    assert "0 records were found." in answer.text
    assert store.subjects.asked() == []
    assert 'value="canary@example.com"' in answer.text  # to erase without typing it again


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({}, "Say who"),
        ({"customer": "7"}, "A customer id belongs to one shop"),
        ({"phone": "12"}, "This is no phone number"),
        ({"customer": "7", "source": "999"}, "A customer id belongs to one shop"),
    ],
)
def test_an_erasure_that_would_find_nobody_is_refused(operator, store, connected, form, told):
    answer = operator.post(f"{SETTINGS}/data/erase", do="erase", **form)

    assert answer.status_code == 422
    assert told in answer.text
    assert store.subjects.asked() == []


def test_a_customer_is_erased_in_one_shop(operator, store, source):
    form = {"customer": "7", "source": str(source.id), "do": "erase"}
    operator.post(f"{SETTINGS}/data/erase", **form)

    (asked,) = store.subjects.asked()
    assert (asked.source_id, asked.redaction.customer_id) == (source.id, "7")


def test_a_reader_erases_nobody(reader, store):
    assert "data/erase" not in reader.get(f"{SETTINGS}/data").text


def test_events_are_handed_out_as_a_file_without_a_person(reader, store, source, outbox_row):
    trace = '{"value":"9.90","currency":"EUR","user_data":["email"]}'
    row = outbox_row(order_id="1", trace=trace, payload=b"canary", email_key=b"canary-canary-16")
    odd = outbox_row(order_id="2", event_id='=HYPERLINK("evil")', order_number="-5")
    commit(store, source, row, odd)
    answer = reader.get(f"{SETTINGS}/data/events.csv?days=7")

    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "canary" not in answer.text
    first, second = csv.DictReader(io.StringIO(answer.text))
    assert (first["event_id"], first["value"], first["currency"]) == ("purchase.1", "9.90", "EUR")
    assert (first["source"], first["destination"], first["state"]) == ("shop", "dataset", "pending")
    assert first["event_at"] == "2026-11-23T12:00:00+00:00"
    assert second["event_id"].startswith("'=")
    assert second["order_number"] == "-5"


def test_a_file_begins_where_the_period_does(application, store, source, outbox_row, clock):
    commit(store, source, outbox_row(order_id="old"))
    clock.move(3 * 86_400)
    commit(store, source, outbox_row(order_id="new"))
    reader = Browser(application).signed_in("reader")
    text = reader.get(f"{SETTINGS}/data/events.csv?days=1").text

    assert "purchase.new" in text
    assert "purchase.old" not in text
    assert reader.get(f"{SETTINGS}/data/events.csv?days=x").status_code == 200


def test_a_long_file_is_written_whole(reader, store, source, outbox_row):
    commit(store, source, *(outbox_row(order_id=str(number)) for number in range(1_005)))
    lines = list(csv.DictReader(io.StringIO(reader.get(f"{SETTINGS}/data/events.csv").text)))

    assert [line["order_id"] for line in lines] == [str(number) for number in range(1_005)]


def base_of(store):
    return plans.digest(store.history.plan() or plans.default_text())


def test_the_plan_in_force_is_shown(reader):
    text = reader.get(f"{SETTINGS}/plan").text

    assert "unknown_optin" in text
    assert base_of(reader.application.store) in text
    assert 'value="apply"' not in text


def test_a_mistake_is_told_with_its_line(operator, store):
    text = '[consent]\r\nmod = "off"\r\n[valu]\r\n'
    answer = operator.post(f"{SETTINGS}/plan", text=text, base=base_of(store), do="apply")

    assert answer.status_code == 422
    assert "Line 2:" in answer.text
    assert "did you mean &#34;mode&#34;" in answer.text
    assert "Line 3:" in answer.text
    assert store.history.plan() is None


def test_a_check_tells_what_would_change_and_changes_nothing(operator, store):
    text = '[consent]\nunknown_optin = "send"\n'
    answer = operator.post(f"{SETTINGS}/plan", text=text, base=base_of(store), do="check")

    assert "consent.unknown_optin: &#34;skip&#34; -&gt; &#34;send&#34;" in answer.text
    assert store.history.plan() is None


def test_a_preview_decides_the_last_deliveries_anew(operator, store):
    answer = operator.post(f"{SETTINGS}/plan", text="", base=base_of(store), do="preview")

    assert "The 0 deliveries still kept raw" in answer.text
    assert "No event would change." in answer.text
    assert store.history.plan() is None


def test_a_plan_is_put_in_force(operator, store):
    text = '[consent]\r\nunknown_optin = "send"\r\n'
    answer = operator.post(f"{SETTINGS}/plan", text=text, base=base_of(store), do="apply")

    assert answer.status_code == 303
    kept = store.history.plan()
    assert kept == '[consent]\nunknown_optin = "send"\n'
    assert audited(store)[-1] == ("olga", "plan.applied", plans.digest(kept), "")


def test_of_two_who_edit_the_plan_the_second_is_told(operator, store):
    base = base_of(store)
    first = '[consent]\nunknown_optin = "send"\n'
    operator.post(f"{SETTINGS}/plan", text=first, base=base, do="apply")
    answer = operator.post(f"{SETTINGS}/plan", text="# mine\n", base=base, do="apply")

    assert answer.status_code == 409
    assert store.history.plan() == first
    assert "# mine" in answer.text
    again = re.search(r'name="base" value="(\w+)"', answer.text)[1]
    operator.post(f"{SETTINGS}/plan", text="# mine\n", base=again, do="apply")
    assert store.history.plan() == "# mine\n"


def test_a_text_area_cannot_be_broken_out_of(operator, store):
    text = '</textarea><script>alert(1)</script> = "'
    answer = operator.post(f"{SETTINGS}/plan", text=text, base=base_of(store), do="check")

    assert "<script>alert" not in answer.text


def test_the_whole_log_is_handed_out_to_operators_and_to_no_reader(operator, reader, store):
    for number in range(3):
        store.history.audit("=cmd", "plan.applied", f"digest {number}")
    answer = operator.get(f"{SETTINGS}/log/whole.csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))

    assert [line["subject"] for line in lines] == ["digest 2", "digest 1", "digest 0"]
    assert lines[0]["actor"] == "'=cmd"
    assert lines[0]["at"].endswith("+00:00")
    assert reader.get(f"{SETTINGS}/log/whole.csv").status_code == 403


def test_an_owner_ends_the_sessions_of_another(owner, operator, reader, store):
    [found] = [one for one in store.accounts.operators() if one.name == "olga"]
    path = f"{SETTINGS}/operators/{found.id}/sign-out"

    assert reader.post(path).status_code == 403
    assert owner.post(path).status_code == 303
    assert operator.get(SETTINGS).status_code == 303
    assert reader.get(SETTINGS).status_code == 200
    assert ("operator.signed_out", "olga") in rows(store, "audit", "action", "subject")
