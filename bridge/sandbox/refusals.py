"""What a refusal of the Graph API looks like: status, code, subcode, body.

Shape and codes: Meta's pages "Graph API error handling" and "Marketing API error
reference", and published live answers of v26.0 (read 2026-11-23).  Statuses of throttles
and of the permission codes are general knowledge: senders must go by the code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

# code -> HTTP status, is_transient, message
_CODES = {
    1: (500, True, "An unknown error has occurred."),
    2: (503, True, "Service temporarily unavailable"),
    3: (400, False, "(#3) Application does not have the capability to make this API call."),
    4: (403, True, "(#4) Application request limit reached"),
    10: (403, False, "(#10) Application does not have permission for this action"),
    17: (400, True, "(#17) User request limit reached"),
    32: (403, True, "(#32) Page request limit reached"),
    102: (401, False, "Session key invalid or no longer valid"),
    104: (400, False, "Invalid appsecret_proof provided in the API argument"),
    190: (401, False, "Invalid OAuth access token - Cannot parse access token"),
    200: (403, False, "(#200) Permissions error"),
    341: (400, True, "(#341) Application limit reached"),
    368: (400, False, "The action attempted has been deemed abusive or is otherwise disallowed"),
    613: (400, True, "(#613) Calls to this api have exceeded the rate limit."),
    803: (404, False, "(#803) Some of the aliases you requested do not exist"),
    2500: (400, False, "Unknown path components"),
    2635: (400, False, "(#2635) You are calling a deprecated version of the Ads API."),
    80000: (400, True, "(#80000) There have been too many calls from this ad-account."),
    80003: (400, True, "(#80003) There have been too many calls to this ad-account."),
    80004: (400, True, "(#80004) There have been too many calls to this ad-account."),
    80014: (400, True, "(#80014) There have been too many calls to this account."),
}
THROTTLES = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refusal.  `blame` is the path to the bad field: ``("data", 3, "event_time")``."""

    status: int
    code: int
    message: str
    subcode: int | None = None
    transient: bool = False
    title: str = ""
    text: str = ""
    blame: Sequence[str | int] = ()

    def body(self, trace_id: str) -> dict[str, object]:
        """Return the body as Meta writes it; empty parts are left out."""
        error: dict[str, object] = {
            "message": self.message,
            "type": "OAuthException",  # whatever the code is
            "code": self.code,
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.transient or self.title:
            error["is_transient"] = self.transient
        if self.title:
            error |= {"error_user_title": self.title, "error_user_msg": self.text}
        if self.blame:
            error["error_data"] = {"blame_field_specs": [list(self.blame)]}
        return {"error": error | {"fbtrace_id": trace_id}}


def of_code(code: int, subcode: int | None = None, status: int | None = None) -> Refusal:
    """Return the refusal with *code*; *status* overrides the usual HTTP status."""
    usual, transient, message = _CODES.get(code, (400, False, "Invalid parameter"))
    if code == 190 and subcode is not None:
        message = "Error validating access token: it is no longer valid."
    return Refusal(
        status=status or usual, code=code, subcode=subcode, transient=transient, message=message
    )


def unknown_object(name: str) -> Refusal:
    """Return 100/33: the dataset does not exist or the token may not see it."""
    message = (
        f"Unsupported post request. Object with ID '{name}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation."
    )
    return Refusal(status=400, code=100, subcode=33, message=message)


def bad_parameter(message: str) -> Refusal:
    """Return code 100 for a parameter of the request as a whole."""
    return Refusal(status=400, code=100, message=f"(#100) {message}")


def bad_event(index: int, path: str, title: str, text: str, subcode: int | None = None) -> Refusal:
    """Return code 100 for the event at *index*; *path* is the field, parts joined by dots."""
    return Refusal(
        status=400,
        code=100,
        subcode=subcode,
        message="Invalid parameter",
        title=title,
        text=text,
        blame=("data", index, *path.split(".")) if path else ("data", index),
    )
