"""Every reason, in plain English."""

from collections.abc import Mapping

# Every reason, in plain English.  ``invalid:<field>`` and ``excluded:<what>`` are looked up by
# their first word, see `sentence`.
REASONS: Mapping[str, str] = {
    "event_off": "The tagging plan does not send this occasion.",
    "test_order": "It is a test order.",
    "channel": "The tagging plan does not send sales of this channel.",
    "channel:unknown": "The shop does not say where this sale was made.",
    "cancelled": "The order was cancelled.",
    "refunded": "The order was refunded.",
    "unknown_state": "The order's state is not one that we know.",
    "not_paid": "The order does not count as paid yet; it is decided again when that changes.",
    "sent_elsewhere": "The order says that another tool has sent it to the same dataset.",
    "purchase_not_sent": "The purchase that it gives back was not sent.",
    "before_go_live": "It happened before this route went live.",
    "toggled_off": "This event is switched off on this route.",
    "import_burst": "So many orders a minute in this channel are taken for an import.",
    "other_market": "The tagging plan sends this market to another destination.",
    "excluded": "The tagging plan excludes this buyer or way of payment.",
    "zero_value": "The order costs nothing.",
    "invalid": "Meta would refuse it, for the field named.",
    "consent_denied": "The buyer said no.",
    "consent_unknown": "The buyer's consent is not known, and the plan asks for it here.",
    "expired": "It is older than Meta accepts.",
    "held": "It waits for the hold of the tagging plan to end.",
    "unreadable": "What was kept of it can no longer be read.",
    "fault": "An adapter failed on it.",
    "replayed": "An operator has asked to decide it again.",
    "erased": "The data of its person were erased.",
    "no_match_key": "Nothing was known by which Meta could find a person, and nothing came.",
    "visitor": "It waits for what the browser tells: a match key, a user agent, or consent.",
    "more": "It waits a moment for more of the same.",
    "owner_webhook": "The shop's webhooks own this event, not the browser.",
    "owner_browser": "The storefront script owns this event, not the shop's webhooks.",
    "no_route": "No route leads to a destination, or none did any more when its time came.",
    "untranslated": "It was received, and is not read yet.",
    "shadow": "The route runs in shadow mode: everything but the sending was done.",
    "decided_before": "An earlier delivery has told of it already.",
}


def sentence(reason: str) -> str:
    """Return what *reason* means in plain English; empty for a word that is none of ours."""
    return REASONS.get(reason) or REASONS.get(reason.partition(":")[0], "")
