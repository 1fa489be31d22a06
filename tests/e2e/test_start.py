"""The ways to start it, and what stops a start."""

import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from bridge.store import Store

from .machine import PATIENCE_S, Machine, children, wait_until

CONFIG = Path(__file__).parents[2] / "gunicorn.conf.py"
WRONG = {
    "SECRET_KEY": "short",
    "DATABASE_URL": "mysql://root:hush-hush@db/bridge",
    "PORT": "http",
    "SECRET_KEY_FILE": "/nowhere/key",
}


@pytest.fixture
def bare(tmp_path: Path):
    """Return a machine where no variable is set but the port."""
    made = Machine(tmp_path / "bare", {})
    yield made
    made.close()


def test_it_starts_with_no_variable_in_an_empty_folder_and_keeps_its_key(bare):
    first = bare.serve()
    ready = wait_until(lambda: bare.status("/readyz") == 200, "it is ready")
    key = bare.folder / "data" / "secret_key"
    before = key.read_text()
    first.terminate()
    exit_code = first.wait(PATIENCE_S)
    second = bare.serve()

    assert ready
    assert exit_code == 0
    assert second.poll() is None
    assert key.read_text() == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert (bare.folder / "data" / "bridge.db").exists()
    assert before.strip() not in bare.errors.read_text()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_stops_the_start_with_a_sentence_that_names_it(bare, name):
    ended = bare.run("serve", **{name: WRONG[name]})

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith(f"Error: {name}: ")
    assert ended.stderr.count("\n") == 1
    assert "hush-hush" not in ended.stderr


def test_gunicorn_itself_stops_with_the_same_sentence(bare):
    process = bare.popen(gunicorn(), LOG_LEVEL="LOUD")

    assert process.wait(PATIENCE_S) == 1
    assert bare.errors.read_text().startswith("Error: LOG_LEVEL: ")
    assert "Traceback" not in bare.errors.read_text()


def gunicorn(config: Path = CONFIG) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-c", str(config), "bridge.wsgi:app"]


def test_sqlite_on_a_dyno_is_refused_for_its_disk_is_lost(bare):
    ended = bare.run("serve", DYNO="web.1")

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: DATABASE_URL: ")
    assert not (bare.folder / "data").exists()


def test_a_database_that_is_not_there_is_told_in_one_sentence(bare):
    url = {"DATABASE_URL": "postgres://nobody:hush-hush@127.0.0.1:1/x", "SECRET_KEY": "k" * 32}
    ended = bare.run("serve", **url)
    process = bare.popen(gunicorn(), **url)

    assert (ended.returncode, process.wait(PATIENCE_S)) == (1, 1)
    assert ended.stderr.startswith("Error: DATABASE_URL: ")
    assert ended.stderr.count("\n") == 1
    assert "Error: DATABASE_URL: " in bare.errors.read_text()
    assert "Traceback" not in bare.errors.read_text()
    assert "hush-hush" not in ended.stderr + bare.errors.read_text()


def test_a_file_that_is_no_database_is_named_and_left_alone(bare):
    path = bare.folder / "notes.txt"
    path.write_text("these are my notes, not a database, and I want to keep them" * 100)

    ended = bare.run("serve", DATABASE_URL=f"sqlite:///{path}")

    assert ended.returncode == 1
    assert str(path) in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert path.read_text().startswith("these are my notes")


def test_two_that_start_at_once_share_one_key_and_one_schema(bare, tmp_path):
    other = Machine(bare.folder, {})

    started = [bare.start("serve"), other.start("serve")]
    for machine in (bare, other):
        wait_until(lambda one=machine: one.status("/readyz") == 200, "both are ready")
    for process in started:
        process.terminate()
    codes = [process.wait(PATIENCE_S) for process in started]
    other.close()

    assert codes == [0, 0]
    assert "Traceback" not in bare.errors.read_text()
    assert [one.name for one in (bare.folder / "data").glob("secret_key*")] == ["secret_key"]


@pytest.mark.parametrize("fresh_url", ["postgresql"], indirect=True)
def test_gunicorn_with_the_configuration_file_serves(machine: Machine, store: Store):
    process = machine.popen(gunicorn())

    wait_until(lambda: machine.status("/readyz") == 200, "it is ready")
    workers = len(children(process))
    process.terminate()

    assert workers == 2
    assert process.wait(PATIENCE_S) == 0
    assert "Traceback" not in machine.errors.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_at_once_leaves_nobody_behind(bare, number):
    server = bare.serve()
    workers = children(server)

    os.killpg(server.pid, number)  # the master tells its workers a second time

    assert server.wait(PATIENCE_S) == 0
    assert [pid for pid in workers if is_running(pid)] == []
    assert "SIGKILL" not in bare.errors.read_text()
    assert "Traceback" not in bare.errors.read_text()


HASTY = """
import os, signal, time
from pathlib import Path

exec(Path({ours!r}).read_text())
sound = post_fork

def post_fork(server, worker):
    sound(server, worker)
    os.kill(server.pid, signal.SIGTERM)
    time.sleep(1)  # by then the master has told its children
"""


def test_a_stop_while_the_workers_start_is_not_forgotten(bare):
    config = bare.folder / "hasty.py"
    config.write_text(HASTY.format(ours=str(CONFIG)))
    process = bare.popen(gunicorn(config))

    assert process.wait(PATIENCE_S) == 0
    assert "worker.stopped" in bare.errors.read_text()
    assert "SIGKILL" not in bare.errors.read_text()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
