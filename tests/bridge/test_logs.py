"""Logs: lines of JSON, and nothing in them that belongs to a person or opens a door."""

import json
import logging

import pytest

from bridge import logs

LIBRARIES = ("urllib3", "requests", "sqlalchemy", "alembic", "werkzeug", "pyactiveresource")


@pytest.fixture
def configured():
    """Return a function that configures logging; all of it is undone afterwards."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {one: logging.getLogger(one).level for one in LIBRARIES}
    levels[""] = root.level
    yield logs.configure
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_the_event_its_fields_level_and_time(configured, capsys):
    configured("INFO")
    logging.getLogger("bridge.send").info("outbox.posted", extra={"destination": 3, "events": 97})

    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "outbox.posted", "level": "info", "destination": 3, "events": 97}


def test_what_is_below_the_level_is_not_written(configured, capsys):
    configured("WARNING")
    logging.getLogger("bridge.send").info("outbox.posted")

    assert lines(capsys) == []


def test_configuring_twice_writes_each_line_once(configured, capsys):
    configured("INFO")
    configured("INFO")
    logging.getLogger("bridge.send").info("outbox.posted")

    assert len(lines(capsys)) == 1


@pytest.mark.parametrize("injected", ["a\r\nb", "\x1b[31mred", '"}\n{"event":"forged"}', "\u2028"])
def test_a_value_cannot_begin_a_line_of_its_own(injected, configured, capsys):
    configured("INFO")
    logging.getLogger("bridge.web").info("delivery.refused", extra={"topic": injected})

    raw = capsys.readouterr().err
    assert len(raw.splitlines()) == 1
    assert "\x1b" not in raw
    assert json.loads(raw)["topic"] == injected


def test_an_exception_is_written_on_the_same_line(configured, capsys):
    configured("INFO")
    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        logging.getLogger("bridge.web").exception("web.fault")

    (line,) = lines(capsys)
    assert "RuntimeError: it broke" in line["exception"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_that_would_tell_addresses_and_tokens_are_quiet_even_at_debug(
    library, configured, capsys
):
    configured("DEBUG")
    logging.getLogger(f"{library}.inner").debug("POST /v26.0/1/events?access_token=canary")
    logging.getLogger(f"{library}.inner").info("INSERT canary")

    assert capsys.readouterr().err == ""
