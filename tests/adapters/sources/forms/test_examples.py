"""Forms: the examples sign what they send, and the documentation tells the truth."""

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from adapters.sources.forms import adapter, bodies, people
from bridge.events import Request, TranslationError

from .sender import EXAMPLES, LEAD, ROOT, lead, translate

SECRET = "a secret with a space and ü"
SCHEMA = json.loads((EXAMPLES / "schema.json").read_bytes())
FIELDS = SCHEMA["$defs"]["event"]["properties"]
DOCUMENT = (ROOT / "docs" / "forms.md").read_text("utf-8")
SENDERS = [
    pytest.param(("bash", "curl", "openssl"), "send.sh", id="curl"),
    pytest.param(("php",), "send.php", id="php"),
    pytest.param(("node",), "send.mjs", id="node"),
]


@pytest.fixture
def receiver():
    """Return a local bridge of sorts: it keeps what it got and answers `status`."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.received.append(Request(headers=dict(self.headers), body=body))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def send(tool, receiver):
    """Return a function that runs an example and gives its exit code."""

    def run(tools: tuple[str, ...], script: str) -> int:
        program, *_ = [tool(name) for name in tools]
        environment = {
            "BRIDGE_URL": f"http://127.0.0.1:{receiver.server_port}/webhooks/key",
            "BRIDGE_SECRET": SECRET,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        command = [program, EXAMPLES / script, EXAMPLES / "lead.json"]
        return subprocess.run(
            command, env=environment, capture_output=True, timeout=60, check=False
        ).returncode

    return run


@pytest.mark.parametrize(("tools", "script"), SENDERS)
def test_an_example_posts_a_lead_that_verifies(send, receiver, tools, script):
    assert send(tools, script) == 0

    [request] = receiver.received
    delivery = adapter.verify(request, {"secret": SECRET})
    assert translate(delivery.body) == [lead()]
    assert request.header("content-type") == "application/json"


@pytest.mark.parametrize(("tools", "script"), SENDERS)
@pytest.mark.parametrize("status", [401, 410])
def test_an_example_says_when_the_lead_was_not_taken(send, receiver, tools, script, status):
    receiver.status = status

    assert send(tools, script) != 0


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL))
def test_what_the_documentation_shows_is_understood(block):
    [event] = translate(block.encode())

    assert event.user_data.email == "tom.beispiel@example.com"
    assert set(json.loads(block)) <= FIELDS.keys()


def test_schema_and_adapter_name_the_same_fields():
    person = FIELDS["user_data"]["properties"]

    assert person.keys() == people.PERSONAL
    assert FIELDS["action_source"]["enum"] == [*bodies.ACTION_SOURCES, None]
    assert FIELDS["event_name"]["pattern"] == bodies.NAME.pattern.replace(r"\Z", "$").join(
        ["^", ""]
    )
    assert SCHEMA["anyOf"][1]["properties"]["events"]["maxItems"] == bodies.MAX_EVENTS
    assert all(f"`{name}`" in DOCUMENT for name in [*FIELDS, *person])


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_adapter_reads_every_field_of_the_schema(name):
    wrong = {"event_name": 1, "event_id": " ", "event_time": [], "event_source_url": []}

    with pytest.raises(TranslationError) as caught:
        translate({**LEAD, name: wrong.get(name, "wrong")})

    assert caught.value.reason == f"bad_{name}"


def test_the_samples_are_a_lead_and_its_later_stage():
    first, later = [translate(sample.body)[0] for sample in adapter.samples()]

    assert later.original_event.event_id == f"form.{first.subject_id}"
    assert later.original_event.event_time == first.event_time
    assert later.extra["lead_stage"] == "qualified"
