"""``capi-bridge translate``: what recorded deliveries become, told to people and to scripts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.sources.woocommerce import adapter
from bridge.cli import main

DELIVERIES = Path(__file__).parents[2] / "deliveries"
DAY = DELIVERIES / "woocommerce" / "11.0.1"
NOW = "2026-11-23T16:00:00Z"
SIGNED = ("--secret", "wh-secret-1", "--now", NOW)
KEYS = {"event_name", "event_id", "verdict", "reason", "channel", "order_state", "payload"}
STATUSES = {"translated", "ignored", "duplicate", "refused", "dead"}


@pytest.fixture(autouse=True)
def nowhere(tmp_path_factory, monkeypatch):
    """Run in an empty folder without any of our environment variables."""
    empty = tmp_path_factory.mktemp("empty")
    monkeypatch.chdir(empty)
    for name in ("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "GRAPH_URL", "SETUP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield empty
    assert list(empty.iterdir()) == []


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command: exit code, what it printed, what it complained."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["capi-bridge", "translate", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


@pytest.fixture
def told(run):
    """Return a function that gives the deliveries of the JSON that was printed."""

    def call(*arguments):
        code, out, complaint = run(*arguments, "--json")
        assert (code, complaint) == (0, "")
        answer = json.loads(out)
        assert list(answer) == ["deliveries"]
        for one in answer["deliveries"]:
            assert set(one) == {"path", "status", "reason", "events"}
            assert one["status"] in STATUSES
            assert all(set(event) == KEYS for event in one["events"])
        return answer["deliveries"]

    return call


@pytest.fixture
def plan(tmp_path):
    """Return a function that writes a plan and gives its path."""

    def write(text):
        path = tmp_path / "plan.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


ANYBODY = '[consent]\nunknown_optin = "send"\n'


def events_of(deliveries):
    return [event for one in deliveries for event in one["events"]]


def test_an_order_is_told_with_all_that_a_script_needs(told, plan):
    [one] = told(
        "woocommerce", DAY / "058-order.updated", *SIGNED, "--plan", plan(ANYBODY), "--word", "de"
    )

    [event] = one["events"]
    assert one["path"] == str(DAY / "058-order.updated")
    assert (one["status"], one["reason"]) == ("translated", "")
    assert (event["verdict"], event["reason"]) == ("send", "")
    assert (event["event_name"], event["event_id"]) == ("Purchase", "purchase.de.19")
    assert (event["channel"], event["order_state"]) == ("web", "paid")
    assert event["payload"]["event_id"] == "purchase.de.19"
    assert event["payload"]["custom_data"]["value"] == 63.65
    assert len(event["payload"]["user_data"]["em"][0]) == 64


def test_what_is_skipped_has_a_reason_and_no_payload(told):
    [one] = told("woocommerce", DAY / "058-order.updated", *SIGNED)

    [event] = one["events"]
    assert (event["verdict"], event["reason"]) == ("skip", "consent_unknown")
    assert event["payload"] is None


def test_the_word_is_shop_unless_another_is_given(told):
    [one] = told("woocommerce", DAY / "058-order.updated", *SIGNED)

    assert one["events"][0]["event_id"] == "purchase.shop.19"


def test_a_folder_of_folders_is_one_history_sorted_by_name(told, plan):
    deliveries = told("woocommerce", DAY, *SIGNED, "--plan", plan(ANYBODY))

    assert [one["path"] for one in deliveries] == sorted(map(str, DAY.iterdir()))
    sales = [event for event in events_of(deliveries) if event["event_name"] == "Purchase"]
    sent = [event["event_id"] for event in sales if event["verdict"] == "send"]
    assert sent == [f"purchase.shop.{order_id}" for order_id in (18, 19, 28, 29)]
    nineteen = [
        (event["order_state"], event["verdict"], event["reason"])
        for event in events_of(deliveries)
        if event["event_id"] == "purchase.shop.19"
    ]
    assert nineteen[0] == ("placed", "skip", "not_paid")
    assert nineteen[2] == ("paid", "send", "")
    assert set(nineteen[3:]) == {
        (state, "skip", "decided_before") for state in ("paid", "partially_refunded", "refunded")
    }


def test_several_paths_are_one_history_in_the_order_given(told, plan):
    cases = [DAY / "154-order.updated", DAY / "149-order.updated"]
    one, two = told("woocommerce", *cases, *SIGNED, "--plan", plan(ANYBODY))

    assert one["events"][0]["verdict"] == "send"
    assert two["events"][0]["reason"] == "decided_before"


def test_what_is_held_waits(told, plan):
    hold = plan(ANYBODY + "[purchase]\nhold_minutes = 60\n")
    now = ("--secret", "wh-secret-1", "--now", "2026-11-23T14:00:00+00:00")
    [one] = told("woocommerce", DAY / "058-order.updated", *now, "--plan", hold)

    [event] = one["events"]
    assert (event["verdict"], event["reason"], event["payload"]) == ("wait", "held", None)


def test_a_delivery_signed_otherwise_is_refused(told):
    [one] = told("woocommerce", DAY / "058-order.updated", "--secret", "another", "--now", NOW)

    assert (one["status"], one["events"]) == ("refused", [])
    assert one["reason"].startswith("X-WC-Webhook-Signature")


def test_several_secrets_may_be_given(told):
    secrets = ("--secret", "another", "--secret", "wh-secret-1", "--now", NOW)

    assert told("woocommerce", DAY / "058-order.updated", *secrets)[0]["status"] == "translated"


def test_a_repeated_delivery_is_a_duplicate(told):
    one, two = told("woocommerce", DAY / "058-order.updated", DAY / "058-order.updated", *SIGNED)

    assert one["status"] == "translated"
    assert (two["status"], two["reason"], two["events"]) == ("duplicate", "", [])


@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("001-ping", "ignored", "ping"),
        ("036-product.updated", "ignored", "topic"),
        ("090-order.deleted", "translated", ""),
    ],
)
def test_what_is_no_order_has_no_events(told, case, status, reason):
    [one] = told("woocommerce", DAY / case, *SIGNED)

    assert (one["status"], one["reason"], one["events"]) == (status, reason, [])


def test_a_dead_delivery_says_why(told):
    [one] = told("woocommerce", DAY / "260-order.created", *SIGNED)

    assert one["status"] == "dead"
    assert one["reason"]
    assert one["events"] == []


def recorded(folder, body, headers=None):
    """Write a delivery of an order's update, signed unless *headers* are given."""
    folder.mkdir(parents=True)
    (folder / "body.json").write_bytes(body)
    signed = adapter.sign("order.updated", body, {"secret": "wh-secret-1"})
    text = json.dumps(dict(signed)) if headers is None else headers
    (folder / "headers.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[]", b"{}", b" " * 3_000_000])
def test_a_body_that_is_no_order_is_dead(told, tmp_path, body):
    [one] = told("woocommerce", recorded(tmp_path / "odd", body), *SIGNED)

    assert one["status"] == "dead"
    assert one["reason"]


def test_the_other_shop_takes_its_own_settings(told):
    case = DELIVERIES / "shopify" / "orders_paid"
    arguments = ("--secret", "hush", "--now", NOW)
    one = told("shopify", case, *arguments, "--set", "shop_domain=other.myshopify.com")
    two = told("shopify", case, *arguments)

    assert one[0]["status"] == "refused"
    assert two[0]["events"][0]["verdict"] == "send"


def test_people_get_a_table(run):
    code, out, _ = run("woocommerce", DAY, *SIGNED)

    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == [
        "path", "status", "reason", "event", "event", "id", "verdict", "why",
    ]  # fmt: skip
    assert any("purchase.shop.19" in line and "not_paid" in line for line in lines)
    assert len(lines) > 50


def sentence(answer):
    """Return the one sentence of a run that failed as an operator expects."""
    code, out, complaint = answer
    assert (code, out) == (1, "")
    [line] = complaint.splitlines()
    assert line.startswith("Error: ")
    return line


def test_a_folder_without_deliveries_is_told(run, tmp_path):
    assert "holds no folder with headers.json and body.json" in sentence(
        run("woocommerce", tmp_path, *SIGNED)
    )


def test_a_file_is_no_folder_of_deliveries(run):
    path = DAY / "058-order.updated" / "body.json"

    assert "holds no folder" in sentence(run("woocommerce", path, *SIGNED))


@pytest.mark.parametrize(
    "headers", ["", "[]", '"text"', "null", '{"X-WC-Webhook-Topic": 5}', '{"a": null}', b"\xff"]
)
def test_headers_that_are_none_are_told(run, tmp_path, headers):
    folder = recorded(tmp_path / "one", b"{}", headers)

    assert "headers.json: is missing or no JSON object of texts" in sentence(
        run("woocommerce", folder, *SIGNED)
    )


def test_missing_headers_are_told(run, tmp_path):
    folder = recorded(tmp_path / "one", b"{}")
    (folder / "headers.json").unlink()

    assert "headers.json: is missing" in sentence(run("woocommerce", folder, *SIGNED))


@pytest.mark.parametrize(
    "text",
    ["[consent", "[consent]\nmode = 'perhaps'", "[nonsense]\na = 1", b"\xff\xfe", "[value]\ntax=1"],
)
def test_a_wrong_plan_is_told(run, plan, text):
    assert "plan" in sentence(
        run("woocommerce", DAY / "058-order.updated", *SIGNED, "--plan", plan(text))
    )


@pytest.mark.parametrize("now", ["yesterday", "2026-99-99", "0001-01-01T00:00:00+14:00"])
def test_a_wrong_time_is_told(run, now):
    answer = run("woocommerce", DAY / "058-order.updated", "--secret", "s", "--now", now)

    assert "is not a time like" in sentence(answer)


def test_a_wrong_kind_is_told(run):
    answer = run("bazaar", DAY / "058-order.updated", *SIGNED)

    assert "known: " in sentence(answer)


def test_a_wrong_setting_is_told(run):
    answer = run("woocommerce", DAY / "058-order.updated", *SIGNED, "--set", "colour=red")

    assert "--set colour: is none of" in sentence(answer)


def test_a_path_that_is_not_there_is_told(run, tmp_path):
    code, out, complaint = run("woocommerce", tmp_path / "nowhere", *SIGNED)

    assert (code, out) == (2, "")
    assert "does not exist" in complaint


def test_it_runs_by_itself_anywhere_and_leaves_nothing(tmp_path):
    case = tmp_path / "case"
    shutil.copytree(DAY / "058-order.updated", case)
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "translate", "woocommerce", case, *SIGNED, "--json"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["deliveries"][0]["status"] == "translated"
    assert list(cwd.iterdir()) == []
    assert {path.name for path in case.iterdir()} == {"headers.json", "body.json", "events.json"}
