"""``capi-bridge log`` and ``explain``: what happened, and why."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from bridge import policy

from .shared import as_json_option, open_store, print_json, print_table, when

DELIVERY_COLUMNS = ("id", "received_at", "topic", "state", "reason", "detail")
EVENT_COLUMNS = ("id", "event_at", "event_name", "event_id", "order_number", "state", "reason")


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--state", default="", help="Only events in this state.")
@click.option("--deliveries", is_flag=True, help="Deliveries instead of events.")
@as_json_option
def log(limit: int, state: str, deliveries: bool, as_json: bool) -> None:
    """List the newest events with their state and reason."""
    history = open_store().history
    if deliveries:
        found = history.deliveries(limit=limit, state=state)
    else:
        found = history.events(limit=limit, state=state)
    columns = DELIVERY_COLUMNS if deliveries else EVENT_COLUMNS
    if as_json:
        print_json(found)
        return
    print_table(
        columns,
        (
            [when(row[name]) if name.endswith("_at") else row[name] for name in columns]
            for row in found
        ),
    )


@click.command()
@click.argument("event_id")
@as_json_option
def explain(event_id: str, as_json: bool) -> None:
    """Tell the story of an event id, an order id or an order number."""
    story = open_store().history.story(event_id)
    if as_json:
        print_json(vars(story))
    elif not story.events:
        click.echo(f"nothing is known of {event_id}", err=True)
    for event in () if as_json else story.events:
        reason = event["reason"]
        meaning = policy.sentence(reason) if reason else ""
        click.echo(f"{event['event_name']} {event['event_id']}: {event['state']} {reason}")
        if meaning:
            click.echo(f"  {meaning}")
        print_table(("what", "value"), _facts(event))
        click.echo()
    if not as_json and story.events:
        print_table(
            ("delivery", "received", "topic", "state told", "verdict", "reason"),
            (
                (
                    row["delivery_id"],
                    when(row["received_at"]),
                    row["topic"],
                    row["order_state"],
                    row["verdict"],
                    row["reason"],
                )
                for row in story.verdicts
            ),
        )
        for receipt in story.receipts:
            click.echo(
                f"answer {when(receipt['sent_at'])}: {receipt['outcome']} {receipt['reason']}"
                f" {receipt['message']} (status {receipt['status']}, trace {receipt['trace_id']})"
            )
    sys.exit(0 if story.events else 1)


def _facts(event: Mapping[str, Any]) -> list[tuple[str, object]]:
    times = ("event_at", "expires_at", "done_at")
    return [
        ("order", event["order_number"]),
        *((name, when(event[name])) for name in times if event[name] is not None),
        ("attempts", event["attempts"]),
        *event["trace"].items(),
        ("plan", event["plan_digest"]),
    ]
