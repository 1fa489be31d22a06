"""``capi-bridge demo``: the whole line on this machine, without an account.

The local Graph API and the real server run on a temporary SQLite database; the adapters'
samples, re-dated to now and signed again, are posted to it over HTTP.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import requests

from bridge import config, policy, registry
from bridge.events import ConfigError, Sample, SourceAdapter
from bridge.sandbox import Sandbox
from bridge.store import Route, Source, Store
from bridge.visitors import COLLECTED

from .shared import open_store, print_table
from .source import urls_of

SECRET = "demo-secret"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
PATIENCE_S = 60
_ISO = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_MILLISECONDS = re.compile(rb"(?<!\d)1[78]\d{11}(?!\d)")
_WAITS = {"received", "pending", "sending"}


@dataclass(frozen=True)
class _Posted:
    source: Source
    sample: Sample
    status: int


@click.command()
@click.option("--once", is_flag=True, help="Print the table and exit.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
def demo(once: bool, port: int) -> None:
    """Show what becomes of sample deliveries; nothing leaves this machine."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clear up as after Ctrl-C
    if port and not _is_free(port):
        raise ConfigError(f"port {port} is taken by another program; try --port 0")
    with tempfile.TemporaryDirectory(prefix="capi-bridge-") as folder, Sandbox() as graph:
        settings = config.load(_environment(Path(folder), graph.url, port or _free_port()))
        store = open_store(settings)
        server = _start_server(settings, Path(folder))
        try:
            _wait_until_ready(server, settings.base_url)
            posted = _post_all(store, settings.base_url)
            _wait_until_done(store)
            summary = _report(store, posted)
            click.echo(f"\naccepted by the local Graph API: {len(graph.accepted())} events")
            if not once:
                from bridge.web.admin.accounts import setup_notice

                _stay(setup_notice(settings, store), settings.base_url, graph.url)
        finally:
            _end(server)
            store.close()
    click.echo(json.dumps(summary))
    sys.exit(1 if summary["lost"] else 0)


def _environment(folder: Path, graph_url: str, port: int) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite:///{folder}/bridge.db",
        "GRAPH_URL": graph_url,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "WARNING",
    }


def _is_free(port: int) -> bool:
    """Return whether nobody answers there; it could be another bridge that is ready."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


def _start_server(settings: config.Config, folder: Path) -> subprocess.Popen[bytes]:
    """Run `capi-bridge serve` as a process of its own."""
    environment = _environment(folder, settings.graph_url, settings.port)
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "serve"],
        env={**_inherited(), **environment},
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and all it started, in good order if it can."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _inherited() -> dict[str, str]:
    """Return the environment without what would point the demo at a real installation."""
    ours = {"DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "GRAPH_URL", "DYNO", "EMBED_WORKER"}
    return {
        name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours
    }


def _wait_until_ready(process: subprocess.Popen[bytes], base_url: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(f"{base_url}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise ConfigError(f"the server did not start on {base_url}; is the port taken? Try --port 0")


def _post_all(store: Store, base_url: str) -> list[_Posted]:
    """Connect one source of each kind that has samples and post them in order."""
    dataset = store.connections.add_destination(
        "meta", "sandbox", {"dataset_id": "1234567890", "access_token": "demo-token"}
    )
    posted = []
    for kind in registry.source_kinds():
        adapter = registry.source(kind)
        samples = redated(adapter.samples(), datetime.now(UTC))
        if not samples:
            continue
        settings = {adapter.secret_setting: SECRET}
        source = store.connections.add_source(kind, kind, settings)
        store.connections.set_route(
            Route(
                source_id=source.id,
                destination_id=dataset.id,
                mode="live",
                toggles={},
                live_since=None,
            )
        )
        urls = urls_of(source, base_url)
        posted += [_post(adapter, source, sample, urls) for sample in samples]
    return posted


def _post(
    adapter: SourceAdapter, source: Source, sample: Sample, urls: Mapping[str, str]
) -> _Posted:
    """Post *sample* as the shop would; what a visitor's browser tells goes to the collector."""
    if sample.topic == COLLECTED:
        url, headers = urls["collect_url"], {"User-Agent": BROWSER, "Content-Type": "text/plain"}
    else:
        url = urls["webhook_url"]
        headers = dict(adapter.sign(sample.topic, sample.body, source.settings))
    answer = requests.post(url, data=sample.body, headers=headers, timeout=10)
    return _Posted(source, sample, answer.status_code)


def redated(samples: Sequence[Sample], now: datetime) -> list[Sample]:
    """Return *samples* with all times moved by one and the same span, the newest to *now*."""
    times = [
        datetime.fromisoformat(found.decode()).replace(tzinfo=UTC)
        for sample in samples
        for found in _ISO.findall(sample.body)
    ]
    if not times:
        return list(samples)
    # Times carry different zones: an hour of room keeps all of them in the past.
    span = timedelta(seconds=int((now - max(times)).total_seconds())) - timedelta(hours=1)

    def iso(match: re.Match[bytes]) -> bytes:
        text = match[0].decode()
        moved = datetime.fromisoformat(text) + span
        return moved.isoformat(sep=text[10]).encode()

    def milliseconds(match: re.Match[bytes]) -> bytes:
        return str(int(match[0]) + int(span.total_seconds()) * 1000).encode()

    return [
        Sample(
            name=sample.name,
            topic=sample.topic,
            body=_MILLISECONDS.sub(milliseconds, _ISO.sub(iso, sample.body)),
        )
        for sample in samples
    ]


def _wait_until_done(store: Store) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        counts = store.history.counts()
        if not any(_WAITS & states.keys() for states in counts.values()):
            return
        time.sleep(0.1)


def _report(store: Store, posted: list[_Posted]) -> dict[str, int]:
    """Print a line for each delivery and event; return the sums."""
    deliveries = {one["id"]: one for one in reversed(store.history.deliveries(limit=10_000))}
    states = {one["event_id"]: one for one in store.history.events(limit=10_000)}
    rows = []
    for delivery, one in zip(deliveries.values(), posted, strict=False):
        verdicts = store.history.verdicts(delivery["id"]) or [{}]
        rows += [_line(one, delivery, verdict, states) for verdict in verdicts]
    columns = ("shop", "delivery", "answer", "event", "event id", "state", "why")
    print_table(columns, rows)
    counts = store.history.counts()
    events = counts["outbox"]
    acknowledged = sum(one.status in {200, 204} for one in posted)
    open_events = sum(events.get(state, 0) for state in ("pending", "sending"))
    return {
        "deliveries": acknowledged,
        "sent": events.get("sent", 0),
        "skipped": events.get("skipped", 0) + events.get("expired", 0),
        "dead": events.get("dead", 0) + counts["delivery"].get("dead", 0),
        "waiting": events.get("waiting", 0),
        "lost": len(posted) - len(deliveries) + open_events + counts["delivery"].get("received", 0),
    }


def _line(
    posted: _Posted, delivery: dict[str, Any], verdict: dict[str, Any], states: dict[str, Any]
) -> tuple[object, ...]:
    event = states.get(verdict.get("event_id", ""), {})
    sent = verdict.get("verdict") == "send"
    reason = verdict.get("reason") or delivery["detail"] or delivery["reason"]
    state = event.get("state", "") if sent else verdict.get("verdict", delivery["state"])
    why = event.get("reason", "") if sent else policy.sentence(reason) or reason
    return (
        posted.source.name,
        posted.sample.name,
        posted.status,
        verdict.get("event_name", ""),
        verdict.get("event_id", ""),
        {"skip": "skipped", "wait": "waiting"}.get(state, state),
        why,
    )


def _stay(notice: str | None, base_url: str, graph_url: str) -> None:
    click.echo(f"\nthe admin:           {notice or f'{base_url}/admin/'}")
    click.echo(f"the local Graph API: {graph_url}/  (what it accepted, with warnings)")
    click.echo("Ctrl-C ends the demo and deletes its database.")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
