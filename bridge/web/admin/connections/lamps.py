"""How a connection is, in one lamp: a status and a sentence."""

from bridge.store import Destination, Source
from bridge.web.admin import current

Lamp = tuple[str, str]


def source_lamp(source: Source) -> Lamp:
    """Return the lamp of a shop."""
    if source.state == "paused":
        return "off", current.text("connections.is_paused")
    if source.state != "active":
        return "fail", current.text("connections.is_disconnected")
    if any(one.subject == source.name for one in current.store().watches.alerts()):
        return "fail", current.text("connections.has_alert")
    if source.delivery_at is None and source.ping_at is None:
        return "warn", current.text("connections.no_delivery")
    if source.delivery_at is None:
        return "ok", current.text("connections.was_pinged")
    return "ok", current.text("connections.delivers")


def destination_lamp(destination: Destination) -> Lamp:
    """Return the lamp of a dataset."""
    if destination.state == "parked":
        return "fail", current.text("connections.is_parked")
    if destination.state != "active":
        return "off", current.text("connections.is_paused")
    if destination.failures:
        return "warn", current.text("connections.fails", count=destination.failures)
    if is_proven(destination):
        return "ok", current.text("connections.accepts")
    return "warn", current.text("connections.untested")


def is_proven(destination: Destination) -> bool:
    """Return whether the dataset ever took an event of ours, or a test."""
    store = current.store()
    tested = store.overview.answer(f"tested.{destination.id}")
    return bool(tested and tested.get("accepted")) or store.overview.has_taken(destination.id)
