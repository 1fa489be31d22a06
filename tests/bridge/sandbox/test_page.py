"""The page for people, and the server it runs on."""

import socket

import pytest

from bridge.events import ConfigError
from bridge.sandbox import Sandbox, create_app, serve

EVIL = "<script>alert(1)</script>"


def test_the_page_lists_events_newest_first(sandbox, post, http, event):
    post(event(event_id="first"), event(event_id="second"), test_event_code="TEST77")
    post(event(event_id="first"))

    page = http.get(sandbox.url).text
    assert page.index("<code>first") < page.index("<code>second") < page.rindex("<code>first")
    assert "TEST77" in page
    assert "12.5 EUR" in page
    assert "client_user_agent em" in page
    assert "Duplicate" in page


def test_the_page_lists_refusals_faults_and_warnings(sandbox, post, http, event):
    post(event(user_data={}))
    post(event(event_source_url=None))
    sandbox.faults.set("code=4;retry_after=9x3")

    page = http.get(sandbox.url).text
    assert "100/2804050" in page
    assert "data.0.user_data" in page
    assert "event_source_url is required" in page
    assert "<code>code=4;retry_after=9</code>" in page
    assert "3 more times" in page


def test_an_empty_page_says_so(sandbox, http):
    assert "None yet." in http.get(sandbox.url).text


def test_nothing_sent_becomes_markup(sandbox, post, http, event):
    custom = {"value": 1, "currency": EVIL}
    hostile = event(event_name=EVIL, event_id=EVIL, custom_data=custom, **{EVIL: 1})
    post(hostile, test_event_code=EVIL)
    post(event(), dataset=EVIL.replace("/", ""))

    page = http.get(sandbox.url).text
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_the_page_shows_no_personal_data(sandbox, post, http, event):
    post(event())

    assert event()["user_data"]["em"][0] not in http.get(sandbox.url).text


def test_pages_are_strict(sandbox, http):
    page, style = http.get(sandbox.url), http.get(f"{sandbox.url}/page.css")

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert style.headers["Content-Type"].startswith("text/css")
    assert "<style" not in page.text
    assert "style=" not in page.text


def test_nothing_is_logged(sandbox, http, event, capfd, caplog):
    caplog.set_level("DEBUG", logger="werkzeug")
    http.post(f"{sandbox.url}/v26.0/1/events?access_token=EAAsecret", json={"data": [event()]})

    assert "EAAsecret" not in capfd.readouterr().err
    assert [record for record in caplog.records if record.name == "werkzeug"] == []


def test_the_app_runs_without_a_server_of_ours(event):
    client = create_app(clock=lambda: event()["event_time"]).test_client()

    answer = client.post(
        "/v26.0/1/events", json={"data": [event()]}, headers={"Authorization": "Bearer EAA"}
    )
    assert answer.json["events_received"] == 1


def test_a_port_that_is_taken_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(ConfigError, match="port: it cannot be opened"):
            serve(port)


def test_a_wrong_fault_stops_the_start():
    with pytest.raises(ConfigError, match="fault:"):
        Sandbox("nonsense")


def test_a_stopped_sandbox_is_gone(http):
    with Sandbox() as sandbox:
        url = sandbox.url
        assert http.get(url).status_code == 200

    with pytest.raises(OSError, match="refused"):
        socket.create_connection((url.rpartition("/")[2].split(":")[0], int(url.split(":")[2])))
