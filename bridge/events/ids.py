"""The public formula of event ids.  Script, pixel and companion compute the same."""

from collections.abc import Mapping

from .facts import Occasion

ID_WORDS = {
    Occasion.PURCHASE: "purchase",
    Occasion.CHECKOUT_STARTED: "checkout",
    Occasion.PAYMENT_INFO_ADDED: "payment",
    Occasion.CART_ADDED: "cart",
    Occasion.CUSTOMER_REGISTERED: "registration",
    Occasion.SUBSCRIPTION_STARTED: "subscribe",
    Occasion.SUBSCRIPTION_RENEWED: "renewal",
    Occasion.REFUND: "refund",
    Occasion.FORM_SUBMITTED: "form",
}

_WORDS: Mapping[str, str] = {str(occasion): word for occasion, word in ID_WORDS.items()}


def event_id(occasion: str, subject_id: str, word: str | None = None) -> str:
    """Return ``<occasion word>[.<word>].<subject_id>``.

    *word* is the source's permanent word; give it only where the shop system's ids are
    local to one shop (two shops may share a dataset).  An occasion that is a topic stands
    for itself.
    """
    first = _WORDS.get(occasion, occasion)
    return ".".join(part for part in (first, word, subject_id) if part)
