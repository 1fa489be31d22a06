"""The documentation is held true: commands, variables and the example adapter exist."""

import json
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from bridge.cli import cli
from bridge.config import Config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

CONTRACT = """
from pathlib import Path
from stall import adapter
from bridge.events.testing import SourceContract

class TestContract(SourceContract):
    adapter = adapter
    deliveries = Path(__file__).parent / "deliveries"
"""

pytest_plugins = "pytester"


def told_commands() -> dict[str, set[str]]:
    """Return the commands of README's table with the subcommands that their rows name."""
    rows = re.findall(r"^\| `capi-bridge (\S+)` \| (.*) \|$", README, re.M)
    return {name: set(re.findall(r"`([a-z-]+)`", told)) for name, told in rows}


def real_commands() -> dict[str, set[str]]:
    return {
        name: set(command.commands) if isinstance(command, click.Group) else set()
        for name, command in cli.commands.items()
    }


def test_the_readme_tells_every_command_and_no_other():
    assert told_commands() == real_commands()


def test_the_examples_of_the_readme_are_commands_with_their_options():
    examples = re.findall(r"^ +(?:\S+=\S+ )?(?:\.venv/bin/)?capi-bridge (.*)$", README, re.M)

    for example in examples:
        command: click.Command = cli
        words = example.split()
        while words and isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, example
    assert len(examples) > 5


def test_the_readme_tells_every_variable():
    table = README.partition("## Environment")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([A-Z_]+)`", table))

    assert {field.name.upper() for field in fields(Config)} - told == set()


def test_the_readme_links_to_files_that_exist():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^):#]+)[^):]*\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


@pytest.fixture
def example():
    """Return the adapter shown in CONTRIBUTING.md."""
    return CONTRIBUTING.partition("```python\n")[2].partition("```")[0]


def test_the_example_adapter_keeps_the_contract(pytester, example):
    case = pytester.mkdir("deliveries") / "paid"
    case.mkdir()
    (case.parent / "settings.json").write_text('{"secret": "test-secret"}')
    body = b'{"id": 7, "paid_at": "2026-11-23T10:00:00Z", "total": 9.5, "currency": "EUR"}'
    (case / "body.json").write_bytes(body)
    scope: dict[str, object] = {}
    exec(compile(example, "stall.py", "exec"), scope)
    headers = scope["adapter"].sign("sale", body, {"secret": "test-secret"})
    (case / "headers.json").write_text(json.dumps(headers))
    pytester.makepyfile(stall=example)
    pytester.makepyfile(test_stall=CONTRACT)
    pytester.syspathinsert()

    passed, skipped, failed = pytester.inline_run("-q").listoutcomes()

    assert not failed
    assert not skipped
    assert len(passed) > 10
