"""Who else reports the sales, and what follows from it: which parts to keep, what to turn off.

Meta drops a repeated event only where dataset, event name and event id are the same, within 48
hours, and only of a browser and a server: of two servers it keeps both.
Source: developers.facebook.com, conversions-api, deduplicate-pixel-and-server-events
(read 2026-11-23).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.events import OtherSender

DATASETS: Final = ("off", "other", "same")
# What the operator may have set as the event id of a tool's purchase, and our template for it.
# An empty template is our own public formula.
CHOSEN_IDS: Final = {
    "formula": "",
    "order_id": "{order_id}",
    "order_number": "{order_number}",
}
# Tools that any shop may have; their labels stand in the texts.
TAGS: Final = OtherSender(name="tag_manager", label={}, switch={}, ids="chosen")
TAGS_SERVER: Final = OtherSender(name="tag_manager_server", label={}, switch={}, sides=("server",))
CODE: Final = OtherSender(name="theme_code", label={}, switch={}, ids="chosen")
COMMON: Final = (TAGS, TAGS_SERVER, CODE)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the operator said: the tool (None: nobody else sends), where to, with which ids.

    `chosen_id` is a key of `CHOSEN_IDS`, or empty: another id, or none.
    """

    sender: OtherSender | None = None
    dataset: str = "off"
    chosen_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to do.  `verdict` is the case in one word:

    ``alone`` nobody else sends to this dataset · ``apart`` the other sends to another one ·
    ``paired`` its pixel and we send the same event ids, which count once · ``filled`` the
    other goes first, the bridge sends what it left out · ``double`` every sale would count
    twice.

    `pixel`, `server` (of the other tool) and `bridge` are each ``keep``, ``off``, ``fill``,
    ``hold`` (shadow until the other is off) or ``none`` (there is no such part).  `shares` and
    `purchase_id` are what the plan must say: [purchase] other_tool_shares_dataset, [ids] purchase.
    """

    verdict: str
    pixel: str = "none"
    server: str = "none"
    bridge: str = "keep"
    turn_off: bool = False
    shares: bool = False
    purchase_id: str = ""


def senders(own: tuple[OtherSender, ...]) -> tuple[OtherSender, ...]:
    """Return the tools to ask for: the shop system's *own*, then those of any shop."""
    return (*own, *COMMON)


def advise(answer: Answer) -> Advice:
    """Return what follows from *answer*."""
    sender = answer.sender
    if sender is None or answer.dataset == "off":
        return Advice(verdict="alone")
    pixel = "keep" if "browser" in sender.sides else "none"
    server = "keep" if "server" in sender.sides else "none"
    if answer.dataset == "other":
        return Advice(verdict="apart", pixel=pixel, server=server)
    if sender.ids == "chosen" and answer.chosen_id in CHOSEN_IDS:
        return _paired(pixel, server, CHOSEN_IDS[answer.chosen_id])
    if sender.marks_orders:
        # It reports when an order is placed, tries once, and marks the order before it tries:
        # what it did not mark is ours.  Better it stops, so that unpaid orders do not count.
        return Advice(
            verdict="filled",
            pixel=pixel,
            server=server,
            bridge="fill",
            turn_off=True,
            shares=True,
        )
    if sender.ids == "shared":
        return _paired(pixel, server)
    return _double(pixel, server)


def _paired(pixel: str, server: str, template: str = "") -> Advice:
    """Return the advice on equal ids: they pair the pixel with us, never its server too."""
    if pixel != "keep":
        return _double(pixel, server)
    second = server == "keep"
    return Advice(
        verdict="paired",
        pixel=pixel,
        server="off" if second else server,
        turn_off=second,
        purchase_id=template,
    )


def _double(pixel: str, server: str) -> Advice:
    return Advice(
        verdict="double",
        pixel="off" if pixel == "keep" else pixel,
        server="off" if server == "keep" else server,
        bridge="hold",
        turn_off=True,
    )


def advise_all(answers: Sequence[Answer]) -> list[Advice]:
    """Return what follows from each of several tools that a shop has at once.

    A purchase has one id: tools that are given another one than the first are not paired.
    """
    template: str | None = None
    found = []
    for answer in answers:
        advice = advise(answer)
        if advice.verdict == "paired" and answer.sender and answer.sender.ids == "chosen":
            if template is None:
                template = advice.purchase_id
            elif template != advice.purchase_id:
                advice = advise(replace(answer, chosen_id=""))
        found.append(advice)
    return found
