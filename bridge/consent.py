"""May this event be sent?  The region and what the buyer said become a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.events import Consent, LimitedDataUse
from bridge.plan import ConsentRules, Rules

DENIED = "consent_denied"
UNKNOWN = "consent_unknown"
US = "US"
_WORDS = {True: "granted", False: "denied", None: "unknown"}
_SAID = {"granted": True, "denied": False}
# The states that Meta's data processing options list, with its codes.
# Source: developers.facebook.com, marketing-api/overview/data-processing-options
# (read 2026-11-23).
META_STATES = {
    "CA": 1000,
    "CO": 1001,
    "CT": 1002,
    "FL": 1003,
    "OR": 1004,
    "TX": 1005,
    "MT": 1006,
    "DE": 1007,
    "NE": 1008,
    "NH": 1009,
    "NJ": 1010,
    "MN": 1011,
    "MD": 1012,
    "RI": 1013,
}
_STATE_CODES = {
    "CALIFORNIA": "CA",
    "COLORADO": "CO",
    "CONNECTICUT": "CT",
    "FLORIDA": "FL",
    "OREGON": "OR",
    "TEXAS": "TX",
    "MONTANA": "MT",
    "DELAWARE": "DE",
    "NEBRASKA": "NE",
    "NEW HAMPSHIRE": "NH",
    "NEW JERSEY": "NJ",
    "MINNESOTA": "MN",
    "MARYLAND": "MD",
    "RHODE ISLAND": "RI",
}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether an event may be sent, and by which `rule`.

    `reason` is empty where it may.  `region` is ``opt_in``, ``opt_out``, ``elsewhere`` or
    ``unknown``.  With `limited_data_use` it may be sent only so marked.
    """

    allowed: bool
    reason: str = ""
    rule: str
    region: str
    limited_data_use: LimitedDataUse | None = None
    consent: Consent | None = None

    def proof(self) -> dict[str, object]:
        """Return what is kept as proof: signals, their source and time, the rule; JSON-able."""
        said, limits = self.consent, self.limited_data_use
        return {
            "marketing": _WORDS[said.marketing if said else None],
            "sale_of_data": _WORDS[said.sale_of_data if said else None],
            "source": said.source if said else None,
            "at": said.at.isoformat() if said and said.at else None,
            "region": self.region,
            "rule": self.rule,
            "limited_data_use": [limits.country, limits.state] if limits else None,
        }

    @classmethod
    def proven(cls, proof: Mapping[str, Any]) -> "Decision":
        """Return the decision to send of which *proof* was kept."""
        limits = proof.get("limited_data_use")
        source, at = proof.get("source"), proof.get("at")
        consent = Consent(
            marketing=_SAID.get(proof["marketing"]),
            sale_of_data=_SAID.get(proof["sale_of_data"]),
            source=source or "",
            at=datetime.fromisoformat(at) if at else None,
        )
        return cls(
            allowed=True,
            rule=proof["rule"],
            region=proof["region"],
            limited_data_use=LimitedDataUse(country=limits[0], state=limits[1]) if limits else None,
            consent=consent if source else None,
        )


def judge(
    consent: Consent | None,
    country: str | None,
    state: str | None,
    rules: Rules,
    *,
    event_name: str,
    browser: bool,
) -> Decision:
    """Return the decision for a buyer in *country* and *state* who said *consent*.

    A denial wins over every rule.  *browser* is False where nobody could be asked: a till, a
    renewal.  None for *country* is an unknown region, which counts as opt-in.
    """
    own = rules.consent_for(event_name)
    region = _region(country, own)
    rule, allowed, limited = _rule(
        consent, region, _meta_state(region, state), own, browser=browser
    )
    said_no = rule in {"denied", "sale_denied"}
    return Decision(
        allowed=allowed,
        reason="" if allowed else DENIED if said_no else UNKNOWN,
        rule=rule,
        region=region,
        limited_data_use=limited,
        consent=consent,
    )


def _rule(
    consent: Consent | None,
    region: str,
    meta_state: int | None,
    own: ConsentRules,
    *,
    browser: bool,
) -> tuple[str, bool, LimitedDataUse | None]:
    """Return the rule that decides, whether it allows, and how data use is limited."""
    if consent and consent.marketing is False:
        return "denied", False, None
    if consent and consent.sale_of_data is False:
        if own.us_opt_out == "ldu" and meta_state:
            return "us_opt_out", True, LimitedDataUse(country=1, state=meta_state)
        return "sale_denied", False, None
    if consent and consent.marketing:
        return "granted", True, None
    if own.mode == "off":
        return "mode_off", True, None
    if not browser:
        return "no_browser", own.no_browser == "send", None
    if region in {"opt_in", "unknown"}:
        return "unknown_optin", own.unknown_optin == "send", None
    return "unknown_elsewhere", own.unknown_elsewhere == "send", None


def _region(country: str | None, own: ConsentRules) -> str:
    code = (country or "").strip().upper()
    code = {"UK": "GB"}.get(code, code)
    if len(code) != 2:
        return "unknown"
    if code in own.opt_in_countries:
        return "opt_in"
    return "opt_out" if code == US else "elsewhere"


def _meta_state(region: str, state: str | None) -> int | None:
    """Return Meta's code of a US state given as ``CA``, ``US-CA`` or ``California``."""
    if region != "opt_out":
        return None
    name = (state or "").strip().upper().removeprefix("US-")
    return META_STATES.get(_STATE_CODES.get(name, name))
