"""The command as a person or a script runs it: exit code, what it printed, what it complained."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.secrets import Vault
from bridge.store import Store

SECRET_KEY = "a key for tests that nobody keeps secret"
HUSH = "hush-hush-secret"
TOKEN = "EAAB-canary-token"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    complaint: str

    @property
    def json(self) -> Any:
        """What was printed, as JSON."""
        assert self.code == 0, self.complaint
        return json.loads(self.out)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let all commands work on an empty database, and return its address."""
    url = f"sqlite:///{tmp_path}/bridge.db"
    for name in ("DYNO", "GRAPH_URL", "PUBLIC_URL", "SECRET_KEY_FILE", "DATABASE_URL_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("PUBLIC_URL", "https://bridge.example")
    return url


@pytest.fixture
def cli(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Return a function that runs a command."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["capi-bridge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = Store(database, Vault(SECRET_KEY))
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def connected(cli: Callable[..., Ended]) -> Callable[..., Ended]:
    """Connect a shop and a dataset, route one to the other, and return the command."""
    steps = [
        ("source", "add", "shopify", "--name", "shop", "--secret", HUSH, "--word", "w1"),
        ("destination", "add", "meta", "--name", "dataset", "--dataset-id", 77, "--token", TOKEN),
        ("route", "set", "shop", "dataset", "--mode", "live", "--live-since", "2026-01-01"),
    ]
    for step in steps:
        assert cli(*step).code == 0
    return cli


def assert_one_sentence(ended: Ended, *words: str) -> None:
    """Assert that the command failed, said why in one line, and printed nothing else."""
    assert ended.code == 1
    assert ended.out == ""
    assert ended.complaint.startswith("Error: ")
    assert ended.complaint.count("\n") == 1
    for word in words:
        assert word in ended.complaint
