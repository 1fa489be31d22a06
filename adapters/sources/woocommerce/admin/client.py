"""Requests to WooCommerce's REST API of one shop: signed, patient, never redirected.

Source: WooCommerce 11.0.1, class-wc-rest-authentication.php (read 2026-11-23), and tried.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from bridge.events import Request, Response, Settings, Shop, ShopError, as_json
from bridge.events.reading import mapping, number

from .refusals import code_of, refusal

API = "wp-json/wc/v3"
TRIES = 4


class Client:
    """The REST API of one shop."""

    def __init__(self, shop: Shop) -> None:
        """Raises ShopError where the settings hold no address or no key."""
        self.shop = shop
        self.base = shop_url(shop.settings)
        self._key = shop.settings.get("consumer_key", "").strip()
        self._secret = shop.settings.get("consumer_secret", "").strip()
        if not self._key or not self._secret:
            raise ShopError("unauthorized", "consumer_key and consumer_secret are missing")

    def get(self, path: str, **parameters: str) -> tuple[Any, Mapping[str, str]]:
        """Return the parsed answer and its headers by lower-case name; raises ShopError.

        Lists go into *parameters* as text with commas: others are signed wrongly by the
        library (wc-api-python 3.0.0, tried 2026-11-23).
        """
        return self._read("GET", path, parameters)

    def send(self, method: str, path: str, body: object = None, **parameters: str) -> Any:
        """Return the parsed answer to a request that changes something; raises ShopError."""
        return self._read(method, path, parameters, body)[0]

    def _read(
        self, method: str, path: str, parameters: Mapping[str, str], body: object = None
    ) -> tuple[Any, Mapping[str, str]]:
        url = f"{self.base}/{API}/{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        sent = as_json(body) if body is not None else b""
        codes = []
        for signed_url, headers in self._proofs(method, url):
            response = self._patiently(method, signed_url, headers, sent)
            if response.status != 401:
                break
            codes.append(code_of(response))
        if not 200 <= response.status < 300:
            raise refusal(response, method, codes)
        return read_json(response), {
            name.lower(): value for name, value in response.headers.items()
        }

    def _proofs(self, method: str, url: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield the ways to prove who asks, in the order to try.

        WooCommerce reads a password only over HTTPS, a signature always: that helps where a
        server drops the header Authorization.  A signature counts once, so a GET that was
        tried again by itself is refused, and is signed anew.
        """
        if url.startswith("https://"):
            pair = base64.b64encode(f"{self._key}:{self._secret}".encode()).decode()
            yield url, {"Authorization": f"Basic {pair}"}
        else:
            yield self._signed(method, url), {}
        yield self._signed(method, url), {}

    def _signed(self, method: str, url: str) -> str:
        from woocommerce.oauth import OAuth  # late: it brings requests, and few shops need it

        signature = OAuth(
            url=url,
            consumer_key=self._key,
            consumer_secret=self._secret,
            version="wc/v3",
            method=method,
            oauth_timestamp=int(self.shop.now().timestamp()),
        )
        return str(signature.get_oauth_url())

    def _patiently(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Return the answer, after waiting where the shop's host asks for fewer requests."""
        ours = {"Accept": "application/json", "User-Agent": "capi-bridge"}
        if body:
            ours["Content-Type"] = "application/json"
        request = Request(method=method, url=url, headers={**ours, **headers}, body=body)
        for attempt in range(TRIES):
            response = self.shop.request(request)
            if response.status != 429 or attempt == TRIES - 1:
                break
            self.shop.sleep(_retry_after_s(response, attempt))
        return response


def shop_url(settings: Settings) -> str:
    """Return the shop's address without a slash at its end; raises ShopError (``address``)."""
    given = settings.get("shop_url", "").strip()
    try:
        parts = urlsplit(given)
        sound = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or re.search(r"[\s?#\\]", given):
        raise ShopError(
            "address", "shop_url: write the shop's whole address, such as https://shop.example"
        )
    return given.rstrip("/")


def read_json(response: Response) -> Any:
    """Return the parsed body of *response*; raises ShopError (``permalinks``) for a page."""
    try:
        # WordPress plug-ins that print a byte order mark are many.
        return json.loads(response.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ShopError(
            "permalinks",
            "the shop answers with a page instead of data: see Settings > Permalinks in WordPress "
            "(not Plain), and what else may answer under /wp-json/",
        ) from None


def _retry_after_s(response: Response, attempt: int) -> float:
    asked = number(_lower(response).get("retry-after"))
    return max(0.5, float(asked if asked is not None else 2**attempt))


def _lower(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list of any length."""
    return [mapping(item) for item in value if item] if isinstance(value, list) else []
