"""``capi-bridge translate``: recorded deliveries through the whole line, up to the outbox."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from bridge import plan as plans
from bridge import registry
from bridge.events import ConfigError, Request, VerificationError
from bridge.receive import Received, receive
from bridge.secrets import Vault
from bridge.store import Route, Source, Store, micros
from bridge.translate import translate_due

from .shared import as_json_option, print_json, print_table, read_settings, read_time


@click.command()
@click.argument("kind")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--secret", required=True, multiple=True, help="What the deliveries are signed with.")
@click.option("--plan", "plan_path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--now", default="", metavar="ISO", help="The time to take for now.")
@click.option("--word", default="shop", show_default=True, help="The source's permanent word.")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A further setting.")
@as_json_option
def translate(
    kind: str,
    paths: tuple[Path, ...],
    secret: tuple[str, ...],
    plan_path: Path | None,
    now: str,
    word: str,
    pairs: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what recorded deliveries of KIND become; nothing is sent or kept.

    A PATH is a folder with headers.json and body.json, or a folder of such folders; sorted
    by name they are one history of one source.
    """
    clock = micros(read_time(now)) if now else None
    store = Store("sqlite://", Vault(secrets.token_hex(32)), lambda: clock or _now())
    click.get_current_context().call_on_close(store.close)
    source = _source(store, kind, "\n".join(secret), word, pairs)
    if plan_path:
        text = _plan_text(plan_path)
        plans.parse(text)
        store.history.apply_plan(text, plans.digest(text))
    found = [_outcome(store, source, folder) for path in paths for folder in _folders(path)]
    if as_json:
        print_json({"deliveries": found})
        return
    rows = [
        (
            one["path"],
            one["status"],
            one["reason"],
            event.get("event_name", ""),
            event.get("event_id", ""),
            event.get("verdict", ""),
            event.get("reason", ""),
        )
        for one in found
        for event in (one["events"] or [{}])
    ]
    print_table(("path", "status", "reason", "event", "event id", "verdict", "why"), rows)


def _now() -> int:
    return time.time_ns() // 1000


def _plan_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise ConfigError(f"{path}: is no plan in UTF-8") from None


def _source(store: Store, kind: str, secret: str, word: str, pairs: tuple[str, ...]) -> Source:
    """Return the one source of an empty store, routed to a dataset that is never called."""
    adapter = registry.source(kind)
    settings = read_settings(adapter.settings, {adapter.secret_setting: secret}, pairs)
    store.migrate()
    source = store.connections.add_source(kind, "shop", settings, word)
    dataset = store.connections.add_destination(
        "meta", "dataset", {"dataset_id": "1", "access_token": "none"}
    )
    store.connections.set_route(
        Route(
            source_id=source.id,
            destination_id=dataset.id,
            mode="live",
            toggles={},
            live_since=None,
        )
    )
    return source


def _folders(path: Path) -> Iterator[Path]:
    """Yield the folders of single deliveries at or below *path*, sorted by name."""
    if (path / "body.json").is_file():
        yield path
        return
    below = sorted(path.iterdir()) if path.is_dir() else []
    found = [folder for folder in below if (folder / "body.json").is_file()]
    if not found:
        raise ConfigError(f"{path}: holds no folder with headers.json and body.json")
    yield from found


def _outcome(store: Store, source: Source, folder: Path) -> dict[str, Any]:
    """Receive and translate one recorded delivery; return what became of it."""
    request = Request(
        headers=_headers(folder / "headers.json"), body=(folder / "body.json").read_bytes()
    )
    outcome: dict[str, Any] = {"path": str(folder), "status": "", "reason": "", "events": []}
    try:
        received = receive(store, source, request)
    except VerificationError as error:
        return outcome | {"status": "refused", "reason": str(error)}
    if received is Received.PING:
        return outcome | {"status": "ignored", "reason": "ping"}
    if received is Received.DUPLICATE:
        return outcome | {"status": "duplicate"}
    translate_due(store)
    delivery = store.history.deliveries(limit=1)[0]
    verdicts = store.history.verdicts(delivery["id"])
    events = [
        {
            "event_name": row["event_name"],
            "event_id": row["event_id"],
            "verdict": row["verdict"],
            "reason": row["reason"],
            "channel": row["channel"],
            "order_state": row["order_state"],
            "payload": _payload(store, row) if row["verdict"] == "send" else None,
        }
        for row in verdicts
    ]
    return outcome | {
        "status": delivery["state"],
        "reason": delivery["detail"] or delivery["reason"],
        "events": events,
    }


def _headers(path: Path) -> dict[str, str]:
    """Return recorded headers."""
    try:
        headers = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        raise ConfigError(f"{path}: is missing or no JSON object of texts")
    return headers


def _payload(store: Store, verdict: dict[str, Any]) -> Any:
    body = store.history.payload(
        verdict["destination_id"], verdict["event_name"], verdict["event_id"]
    )
    return orjson.loads(body) if body else None
