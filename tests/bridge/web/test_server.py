"""gunicorn's settings: taken by gunicorn, and in step with each other."""

import re

import pytest
from gunicorn.config import Config

from bridge import config
from bridge.web import server
from bridge.web.deadline import DeadlineWorker

SECRET_KEY = "a key for tests that nobody keeps secret"


def given(**environment: str) -> Config:
    found = Config()
    loaded = config.load({"SECRET_KEY": SECRET_KEY, **environment})
    for name, value in server.settings(loaded).items():
        if value is not None:
            found.set(name, value)
    return found


def test_gunicorn_takes_every_setting():
    settings = given(PORT="9000", WEB_CONCURRENCY="3", LOG_LEVEL="WARNING")

    assert settings.address[0][1] == 9000
    assert settings.workers == 3
    assert settings.loglevel == "warning"
    assert settings.worker_class is DeadlineWorker


def test_the_access_log_is_off_for_it_would_hold_addresses_and_keys():
    assert given().accesslog is None
    # Heroku's buildpack switches it on by GUNICORN_CMD_ARGS.
    assert not set("hruqfaUq") & set(re.findall(r"%\((\w)\)", given().access_log_format))


def test_workers_are_given_their_time_before_platforms_kill():
    assert given().graceful_timeout < 30
    assert given().control_socket_disable


@pytest.mark.parametrize("level", ["DEBUG", "ERROR"])
def test_the_log_level_of_the_environment_is_gunicorns_too(level):
    assert given(LOG_LEVEL=level).loglevel == level.lower()
