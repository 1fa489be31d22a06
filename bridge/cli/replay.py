"""``capi-bridge dead``, ``replay``, ``rotate-keys``: what an operator does by hand."""

import click

from bridge.events import ConfigError

from .shared import as_json_option, open_store, print_json, print_table, when


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json_option
def dead(limit: int, as_json: bool) -> None:
    """List dead events and dead deliveries, newest first."""
    history = open_store().history
    events = history.events(limit=limit, state="dead")
    deliveries = history.deliveries(limit=limit, state="dead")
    if as_json:
        print_json({"events": events, "deliveries": deliveries})
        return
    print_table(
        ("event", "event id", "at", "reason"),
        (
            (one["event_name"], one["event_id"], when(one["event_at"]), one["reason"])
            for one in events
        ),
    )
    click.echo()
    print_table(
        ("delivery", "topic", "received", "reason", "what"),
        (
            (one["id"], one["topic"], when(one["received_at"]), one["reason"], one["detail"])
            for one in deliveries
        ),
    )


@click.command()
@click.argument("event_ids", nargs=-1)
@click.option("--delivery", "deliveries", multiple=True, type=int, help="A dead delivery's id.")
@click.option("--state", type=click.Choice(["dead", "expired", "skipped"]), help="All in it.")
@click.option("--reason", default="", help="All with this reason.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def replay(
    event_ids: tuple[str, ...],
    deliveries: tuple[int, ...],
    state: str | None,
    reason: str,
    yes: bool,
) -> None:
    """Decide again what was not sent, under the plan, toggles and consent of now.

    What was sent is never touched.  Only deliveries that are still held raw can be replayed.
    """
    store = open_store()
    ids = [event["id"] for event_id in event_ids for event in store.history.story(event_id).events]
    if state or reason:
        ids += store.replays.find(state=state or "", reason=reason)
    if not ids and not deliveries:
        raise ConfigError("replay: nothing fits; give event ids, --state, --reason or --delivery")
    if not yes:
        click.confirm(f"{len(ids) + len(deliveries)} to replay; go on?", abort=True, err=True)
    events = store.replays.replay_events(ids)
    bodies = store.replays.replay_deliveries(deliveries)
    store.history.audit("cli", "events.replayed", f"{events.events} events", reason or state or "")
    click.echo(
        f"{events.events} events and {bodies.deliveries} dead deliveries are decided again;"
        f" {events.gone + bodies.gone} are no longer held raw"
    )


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Seal all stored data under SECRET_KEY; the old key is in SECRET_KEY_PREVIOUS."""
    store = open_store()
    count = store.rotation.rotate()
    store.history.audit("cli", "keys.rotated", f"{count} values")
    click.echo(f"{count} values are sealed anew; SECRET_KEY_PREVIOUS may be removed")
