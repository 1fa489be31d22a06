"""What is sent of an event: its ids, its value, its contents, its people; by the plan."""

from bridge.shape.contents import content_ids
from bridge.shape.conversion import Sale, Shaped, shape
from bridge.shape.ids import event_ids_for
from bridge.shape.people import clean_url, external_id_for
from bridge.shape.value import Costs, Worth, value_lines, worth

__all__ = [
    "Costs",
    "Sale",
    "Shaped",
    "Worth",
    "clean_url",
    "content_ids",
    "event_ids_for",
    "external_id_for",
    "shape",
    "value_lines",
    "worth",
]
