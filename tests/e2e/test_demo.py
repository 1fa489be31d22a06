"""The demo: what it says in its last line, and that it leaves nothing behind."""

import signal
from pathlib import Path

import pytest

from .machine import Machine, last_json, wait_until


@pytest.fixture
def bare(tmp_path: Path):
    """Return a machine whose temporary files are in a folder of its own."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    made = Machine(tmp_path / "machine", {"TMPDIR": str(temporary)})
    yield made
    made.close()


def test_once_accounts_for_every_delivery_and_sends_from_each_shop(bare):
    ended = bare.run("demo", "--once", "--port", "0")
    summary = last_json(ended.stdout)
    states = [(line.split()[0], line) for line in ended.stdout.splitlines() if line]
    sent = {shop for shop, line in states if "  sent" in line}
    skipped = {shop for shop, line in states if "  skipped" in line}

    assert ended.returncode == 0, ended.stderr
    assert set(summary) == {"deliveries", "sent", "skipped", "dead", "waiting", "lost"}
    assert summary["lost"] == 0
    assert summary["deliveries"] > 0
    assert {"shopify", "woocommerce"} <= sent
    assert {"shopify", "woocommerce"} <= skipped
    assert "Traceback" not in ended.stderr
    assert_nothing_is_left(bare)


def test_a_real_installation_in_the_environment_is_not_touched(bare):
    ended = bare.run(
        "demo", "--once", "--port", "0", DATABASE_URL="postgres://production/x", EMBED_WORKER="0"
    )

    assert ended.returncode == 0
    assert last_json(ended.stdout)["lost"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_it_is_stopped_and_leaves_nothing(bare, number):
    demo = bare.start("demo", "--port", str(bare.port))
    output = bare.folder / "stdout.txt"

    wait_until(lambda: "Ctrl-C" in output.read_text(), "the demo is up")
    answered = bare.status("/readyz")
    demo.send_signal(number)

    assert answered == 200
    assert demo.wait(30) == 0
    assert last_json(output.read_text())["lost"] == 0
    assert "Traceback" not in bare.errors.read_text()
    assert_nothing_is_left(bare)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_when_it_is_stopped_while_it_starts(bare, number):
    demo = bare.start("demo", "--port", str(bare.port))

    wait_until(lambda: len(servers_in(bare)) > 1, "the server starts its workers")
    demo.send_signal(number)

    assert demo.wait(30) == 1
    assert "Traceback" not in bare.errors.read_text()
    assert_nothing_is_left(bare)


def servers_in(bare: Machine) -> list[str]:
    """Return the processes whose environment names the machine's temporary folder."""
    mark = f"TMPDIR={bare.environment['TMPDIR']}"
    found = []
    for process in [entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()]:
        try:
            environment = (process / "environ").read_bytes().decode(errors="replace")
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if mark in environment and "bridge serve" in command:
            found.append(command)
    return found


def assert_nothing_is_left(bare: Machine) -> None:
    assert servers_in(bare) == []
    assert list(Path(bare.environment["TMPDIR"]).iterdir()) == []


def test_a_port_that_is_taken_is_told_in_one_sentence(bare):
    bare.serve()

    ended = bare.run("demo", "--once", "--port", str(bare.port))

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: port ")
    assert ended.stderr.count("\n") == 1
