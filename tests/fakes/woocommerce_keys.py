"""The keys of a fake WooCommerce shop: passwords, signatures, rights, and keys by one click.

Source: WooCommerce 11.0.1, class-wc-rest-authentication.php (read 2026-11-23).
"""

import base64
import hashlib
import hmac
import html
import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

from .server import Answer, Call

AUTHENTICATION = "woocommerce_rest_authentication_error"
OAUTH = ("consumer_key", "timestamp", "nonce", "signature", "signature_method")


class Keys:
    """One key.  `permissions`: "read", "read_write"; `owner`: "manager", "customer", "gone".

    `drops_authorization` is a server that hides the header from PHP; `behind_proxy` one
    where WordPress does not know that its address is https.  `now` None takes any time.
    """

    def __init__(self) -> None:
        self.key = "ck_" + "1a2b3c4d" * 5
        self.secret = "cs_" + "5e6f7a8b" * 5
        self.permissions = "read_write"
        self.owner = "manager"
        self.drops_authorization = False
        self.behind_proxy = False
        self.used_nonces: set[str] = set()

    def refuse(self, call: Call, url: str) -> Answer | None:
        """Return the refusal of *call*, or None where the key opens."""
        tls = call.headers.get("x-forwarded-proto") == "https" and not self.behind_proxy
        opened, error = self._password(call) if tls else (False, False)
        if not opened:
            opened, signature_error = self._signature(call, url, tls=tls)
            error = error or signature_error
        if error:
            return _refusal(401, AUTHENTICATION)
        if opened and call.method != "GET" and self.permissions == "read":
            return _refusal(401, AUTHENTICATION)
        if not opened or self.owner == "gone":
            return _refusal(401, "woocommerce_rest_cannot_view")
        return _refusal(403, "woocommerce_rest_cannot_view") if self.owner == "customer" else None

    def _password(self, call: Call) -> tuple[bool, bool]:
        """Return (opened, error); an unknown key is no error here."""
        kind, _, encoded = call.headers.get("authorization", "").partition(" ")
        if kind != "Basic" or self.drops_authorization:
            return False, False
        key, _, secret = base64.b64decode(encoded).decode().partition(":")
        return key == self.key and secret == self.secret, key == self.key and secret != self.secret

    def _signature(self, call: Call, url: str, *, tls: bool) -> tuple[bool, bool]:
        given = {name: call.query.get(f"oauth_{name}", "") for name in OAUTH}
        if not any(given.values()):
            return False, False
        host = call.headers["host"] if "x-forwarded-proto" in call.headers else ""
        base = f"{'https' if tls else 'http'}://{host}" if host else url
        sound = (
            given["consumer_key"] == self.key
            and hmac.compare_digest(self._sign(call, base + call.path), given["signature"])
            and given["nonce"] not in self.used_nonces
        )
        self.used_nonces.add(given["nonce"])
        return sound, not sound

    def _sign(self, call: Call, url: str) -> str:
        signed = {name: value for name, value in call.query.items() if name != "oauth_signature"}
        pairs = [f"{_encoded(name)}={_encoded(signed[name])}" for name in sorted(signed)]
        text = f"{call.method}&{_encoded(url)}&{'%26'.join(map(_encoded, pairs))}"
        digest = hmac.new(f"{self.secret}&".encode(), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def page(self, call: Call) -> Answer:
        """Return the page that asks the shop's admin for a key."""
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in call.query.items()
        )
        form = f'<form method="post" action="/wc-auth/v1/approve">{hidden}<button>Approve</button>'
        return Answer(body=f"<!doctype html><title>Connect</title>{form}</form>".encode())

    def approve(self, call: Call, post: Callable[[str, bytes, dict[str, str]], int]) -> Answer:
        """Call back with the key and lead the admin's browser on."""
        asked = call.form()
        told = {
            "key_id": 2, "user_id": asked["user_id"], "consumer_key": self.key,
            "consumer_secret": self.secret, "key_permissions": asked["scope"],
        }  # fmt: skip
        json_type = {"Content-Type": "application/json"}
        status = post(asked["callback_url"], json.dumps(told).encode(), json_type)
        if status != 200:
            return Answer(status=401, body=b"<html>An error occurred in the request</html>")
        query = urlencode({"success": "1", "user_id": asked["user_id"]})
        return Answer(status=302, headers={"Location": f"{asked['return_url']}?{query}"})


def _encoded(value: str) -> str:
    return quote(value, safe="~")


def _refusal(status: int, code: str) -> Answer:
    return Answer(
        status=status, body={"code": code, "message": "Sorry.", "data": {"status": status}}
    )
