"""The environment: every variable, every wrong value, and the key that is made when none is set."""

import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.config import load
from bridge.events import ConfigError
from tests.stores import environment

KEY = "thirty-two characters or many more"
POSTGRES = "postgres://user:canary@host:5432/bridge"
BASE = {"DATABASE_URL": POSTGRES, "SECRET_KEY": KEY}
CANARY = "canary"


def test_what_is_not_set_has_a_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load({})

    assert config.database_url == "sqlite:///data/bridge.db"
    assert config.secret_key_previous == ()
    assert (config.setup_token, config.metrics_token, config.public_url) == ("", "", "")
    assert config.endpoint.url == "https://graph.facebook.com"
    assert config.endpoint.version == "v26.0"
    assert (config.embed_worker, config.log_level) == (True, "INFO")
    assert (config.port, config.web_concurrency, config.trusted_proxies) == (8080, 2, 0)
    assert config.retention_raw == timedelta(hours=72)
    assert config.retention_dead == timedelta(days=8)
    assert config.retention_payload == timedelta(days=30)
    assert config.retention_trace == timedelta(days=90)
    assert config.allow_private_shops is False
    assert config.base_url == "http://127.0.0.1:8080"


SOUND = [
    ("DATABASE_URL", "postgresql://h/d", "database_url", "postgresql+psycopg://h/d"),
    ("DATABASE_URL", "postgresql+psycopg://h/d", "database_url", "postgresql+psycopg://h/d"),
    ("DATABASE_URL", "sqlite:////srv/b.db", "database_url", "sqlite:////srv/b.db"),
    ("SECRET_KEY", "k" * 32, "secret_key", "k" * 32),
    ("SECRET_KEY_PREVIOUS", f"a {KEY}\n\n {KEY}\n", "secret_key_previous", (f"a {KEY}", KEY)),
    ("SETUP_TOKEN", "token", "setup_token", "token"),
    ("PUBLIC_URL", "https://shop.example/", "public_url", "https://shop.example"),
    ("PUBLIC_URL", "http://127.0.0.1:8080", "public_url", "http://127.0.0.1:8080"),
    ("PUBLIC_URL", "http://[::1]:8080", "public_url", "http://[::1]:8080"),
    ("GRAPH_URL", "http://localhost:9000", "graph_url", "http://localhost:9000"),
    ("GRAPH_VERSION", "v27.0", "graph_version", "v27.0"),
    ("EMBED_WORKER", "No", "embed_worker", False),
    ("EMBED_WORKER", "on", "embed_worker", True),
    ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
    ("PORT", "0", "port", 0),
    ("WEB_CONCURRENCY", "4", "web_concurrency", 4),
    ("TRUSTED_PROXIES", "2", "trusted_proxies", 2),
    ("METRICS_TOKEN", "token", "metrics_token", "token"),
    ("RETENTION_RAW", "90m", "retention_raw", timedelta(minutes=90)),
    ("RETENTION_DEAD", "2d", "retention_dead", timedelta(days=2)),
    ("RETENTION_PAYLOAD", "12h", "retention_payload", timedelta(hours=12)),
    ("RETENTION_TRACE", "400d", "retention_trace", timedelta(days=400)),
    ("ALLOW_PRIVATE_SHOPS", "1", "allow_private_shops", True),
]


@pytest.mark.parametrize(("name", "value", "field", "expected"), SOUND)
def test_a_variable_is_read_by_its_name_or_from_its_file(tmp_path, name, value, field, expected):
    path = tmp_path / "value"
    path.write_text(f" {value} \n")

    assert getattr(load(BASE | {name: value}), field) == expected
    assert getattr(load(BASE | {name: CANARY, f"{name}_FILE": str(path)}), field) == expected


WRONG = [
    ("DATABASE_URL", "mysql://user:canary@host/db"),
    ("DATABASE_URL", "canary"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("SECRET_KEY", "canary"),
    ("SECRET_KEY_PREVIOUS", f"{KEY}\ncanary"),
    ("PUBLIC_URL", "canary"),
    ("PUBLIC_URL", "http://canary.example"),
    ("PUBLIC_URL", "ftp://canary.example"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://[canary]/"),
    ("PUBLIC_URL", "https://canary\uff03.example/"),
    ("PUBLIC_URL", "https://host:canary/"),
    ("PUBLIC_URL", "https://host/?canary"),
    ("PUBLIC_URL", "https://user:canary@host/"),
    ("RENDER_EXTERNAL_URL", "canary"),
    ("GRAPH_URL", "http://graph.canary.com"),
    ("GRAPH_VERSION", "canary"),
    ("GRAPH_VERSION", "v26.0/canary"),
    ("EMBED_WORKER", "canary"),
    ("LOG_LEVEL", "canary"),
    ("PORT", "canary"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "9" * 5000),
    ("WEB_CONCURRENCY", "0"),
    ("TRUSTED_PROXIES", "11"),
    ("RETENTION_RAW", "canary"),
    ("RETENTION_RAW", "72"),
    ("RETENTION_DEAD", "-1d"),
    ("RETENTION_PAYLOAD", "1000000d"),
    ("RETENTION_TRACE", "canary"),
    ("ALLOW_PRIVATE_SHOPS", "canary"),
    ("SMTP_URL", "smtp://user:canary@host:port"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_and_never_shown(name, value):
    with pytest.raises(ConfigError) as caught:
        load(BASE | {name: value})

    told = str(caught.value)
    assert told.startswith("PUBLIC_URL" if name == "RENDER_EXTERNAL_URL" else f"{name}: ")
    assert CANARY not in told
    assert "\n" not in told
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("content", [None, b"\xff\xfe not text"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path, content):
    path = tmp_path / CANARY
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"^SECRET_KEY_FILE: ") as caught:
        load(BASE | {"SECRET_KEY_FILE": str(path)})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("database", [{}, {"DATABASE_URL": "sqlite:///data/bridge.db"}])
def test_sqlite_is_refused_where_the_disk_is_lost(database):
    with pytest.raises(ConfigError, match=r"^DATABASE_URL: SQLite would lose every order"):
        load({"DYNO": "web.1", "SECRET_KEY": KEY} | database)


def test_a_dyno_with_postgresql_starts_behind_one_proxy():
    assert load(BASE | {"DYNO": "web.1"}).trusted_proxies == 1
    assert load(BASE | {"DYNO": "web.1", "TRUSTED_PROXIES": "0"}).trusted_proxies == 0


def test_the_platform_tells_the_public_address_where_none_is_set():
    railway = {"RAILWAY_PUBLIC_DOMAIN": "app.example"}
    render = {"RENDER_EXTERNAL_URL": "https://render.example"}

    assert load(BASE | railway).public_url == "https://app.example"
    assert load(BASE | railway | render).public_url == "https://render.example"
    own = {"PUBLIC_URL": "https://own.example"}
    assert load(BASE | render | own).base_url == "https://own.example"


def test_a_configuration_shows_no_secret():
    config = load(BASE | {"SETUP_TOKEN": CANARY, "METRICS_TOKEN": CANARY})

    assert repr(config) == "Config(postgresql+psycopg, port=8080)"
    assert CANARY not in f"{config}"


def test_without_a_disk_the_key_must_be_set():
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: is missing"):
        load({"DATABASE_URL": POSTGRES})


def sqlite(folder: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{folder}/bridge.db"}


def test_a_made_key_is_kept_beside_the_database_for_its_owner_alone(tmp_path):
    folder = tmp_path / "new" / "data"
    key = load(sqlite(folder)).secret_key
    path = folder / "secret_key"

    assert len(key) >= 32
    assert path.read_text().strip() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["secret_key"]
    assert load(sqlite(folder)).secret_key == key


def test_a_key_that_is_set_goes_before_the_one_that_was_made(tmp_path):
    made = load(sqlite(tmp_path)).secret_key

    assert load(sqlite(tmp_path) | {"SECRET_KEY": KEY}).secret_key == KEY
    assert load(sqlite(tmp_path)).secret_key == made


@pytest.mark.parametrize("content", ["", "\n", "short", "\u00e9" * 40])
def test_a_made_key_that_was_spoilt_is_an_error_and_never_replaced(tmp_path, content):
    path = tmp_path / "secret_key"
    path.write_text(content, encoding="latin-1")

    with pytest.raises(ConfigError, match=f"^SECRET_KEY: is not set and {path}"):
        load(sqlite(tmp_path))
    assert path.read_text(encoding="latin-1") == content


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")

    with pytest.raises(ConfigError, match=r"^SECRET_KEY: is not set"):
        load(sqlite(tmp_path / "data"))


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    code = (
        "import sys; from bridge.config import load; sys.stdin.read();"
        "print(load({'DATABASE_URL': sys.argv[1]}).secret_key)"
    )
    command = [sys.executable, "-c", code, sqlite(tmp_path)["DATABASE_URL"]]
    children = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
        )
        for _ in range(4)
    ]
    for child in children:
        child.stdin.close()  # all go on at once
    keys = {child.stdout.read().strip() for child in children}
    for child in children:
        assert child.wait(30) == 0
        child.stdout.close()

    assert keys == {(tmp_path / "secret_key").read_text().strip()}
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_a_command_names_what_a_library_would_break_on():
    wrong = environment(WEB_CONCURRENCY="canary", **BASE)
    command = [sys.executable, "-m", "bridge", "source", "list"]

    done = subprocess.run(command, env=wrong, capture_output=True, text=True, check=False)

    told = "Error: WEB_CONCURRENCY: must be a whole number from 1 to 64\n"
    assert (done.returncode, done.stderr) == (1, told)
