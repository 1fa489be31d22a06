"""Requests to the Admin API of one shop.

Of Shopify's library only what keeps no state for the process is used: its sessions are
shared by threads, it follows redirects with the token and waits without end.
Source: ShopifyAPI 12.7.0 (read and tried 2026-11-23).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shopify

from bridge.events import Request, Response, Shop, ShopError, as_json
from bridge.events.reading import mapping, mappings, number, text

from . import API_VERSION
from .access import access_token, api_path, shop_domain
from .refusals import read_json, refusal

TRIES = 5
SHORTEST_WAIT_S = 0.2


class TooDearError(Exception):
    """The query asks for more than Shopify computes at once: ask for less."""


class Client(shopify.GraphQL):  # type: ignore[misc]  # the library has no types
    """The Admin API, as GraphQL and, for what only it tells, as REST."""

    def __init__(self, shop: Shop) -> None:
        """Raises ShopError where the settings name no shop or no sound version."""
        # Not the library's own: it reads the session of the process.
        self.shop = shop
        self.domain = shop_domain(shop.settings)
        self.base, self.version = api_path(shop.settings, API_VERSION)
        self.endpoint = f"{self.base}/graphql.json"
        self.headers = {"User-Agent": "capi-bridge"}

    def execute(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Mapping[str, Any]:
        """Return the answer's `data`; fields that the app may not read are None in it.

        Raises ShopError, and TooDearError where Shopify computes no such query.
        """
        asked = {"query": query, "variables": variables or {}, "operationName": operation_name}
        repeatable = not query.lstrip().startswith("mutation")
        for _ in range(TRIES):
            response = self._send("POST", self.endpoint, as_json(asked), repeatable=repeatable)
            if response.status != 200:
                raise refusal(response)
            answer = mapping(read_json(response.body))
            codes = _codes(answer)
            if "MAX_COST_EXCEEDED" in codes:
                raise TooDearError
            if "THROTTLED" not in codes:
                return _data(answer, codes)
            self.shop.sleep(_restored_in_s(answer))
        raise ShopError("throttled", "Shopify's limits are used up by other apps", again=True)

    def get(self, path: str) -> Any:
        """Return the parsed answer of the REST address *path*; raises ShopError."""
        response = self._send("GET", f"{self.base}/{path}")
        if response.status != 200:
            raise refusal(response)
        return read_json(response.body)

    def _send(
        self, method: str, url: str, body: bytes = b"", *, repeatable: bool = True
    ) -> Response:
        """Return the answer after renewing the token once and waiting where it asks to."""
        token = access_token(self.shop)
        renewed = False
        for attempt in range(TRIES):
            response = self.shop.request(self._request(method, url, body, token))
            if response.status == 401 and not renewed:
                token, renewed = access_token(self.shop, refused=token), True
            elif response.status == 429 or (response.status >= 500 and repeatable):
                self.shop.sleep(_retry_after_s(response, attempt))
            else:
                break
        return response

    def _request(self, method: str, url: str, body: bytes, token: str) -> Request:
        ours = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": token,
        }
        headers = self.merge_headers(self.headers, ours)
        return Request(method=method, url=url, headers=headers, body=body)


def refuse_user_errors(payload: Mapping[str, Any]) -> None:
    """Raise ShopError for the errors of a mutation, which come with status 200.

    Their text is Shopify's own; addresses are left out of it, since ours is a secret.
    """
    messages = [text(error.get("message")) or "" for error in mappings(payload.get("userErrors"))]
    if not messages:
        return
    said = _without_addresses("; ".join(messages))
    scope = any(word in said.lower() for word in ("scope", "access", "permission", "approved"))
    raise ShopError("scope" if scope else "refused", f"Shopify refused: {said}")


def _codes(answer: Mapping[str, Any]) -> set[str]:
    errors = mappings(answer.get("errors"))
    return {text(mapping(error.get("extensions")).get("code")) or "" for error in errors}


def _data(answer: Mapping[str, Any], codes: Iterable[str]) -> Mapping[str, Any]:
    """Return `data`; errors beside it say which fields were left out.

    Source: shopify.dev, protected customer data (read 2026-11-23).
    """
    data = mapping(answer.get("data"))
    if any(value is not None for value in data.values()):
        return data
    if "ACCESS_DENIED" in codes:
        raise ShopError("scope", "the app may not do this: give it the access scopes it needs")
    said = [text(error.get("message")) or "" for error in mappings(answer.get("errors"))]
    raise ShopError("refused", f"Shopify refused: {_without_addresses('; '.join(said))}")


def _without_addresses(said: str) -> str:
    return " ".join(word for word in said.split() if "://" not in word and "@" not in word)[:300]


def _restored_in_s(answer: Mapping[str, Any]) -> float:
    """Return the seconds until the query can be paid.

    Source: shopify.dev/docs/api/usage/limits (read 2026-11-23).
    """
    cost = mapping(mapping(answer.get("extensions")).get("cost"))
    status = mapping(cost.get("throttleStatus"))
    wanted, left = _number(cost, "requestedQueryCost"), _number(status, "currentlyAvailable")
    rate = _number(status, "restoreRate") or 100.0
    return max(SHORTEST_WAIT_S, (wanted - left) / rate)


def _number(holder: Mapping[str, Any], key: str) -> float:
    value = holder.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _retry_after_s(response: Response, attempt: int) -> float:
    headers = {name.lower(): value for name, value in response.headers.items()}
    asked = number(headers.get("retry-after"))
    return max(SHORTEST_WAIT_S, float(asked if asked is not None else 2**attempt))


def nodes(connection: object) -> Sequence[Mapping[str, Any]]:
    """Return the objects of a GraphQL connection, or none."""
    return mappings(mapping(connection).get("nodes"))


def next_cursor(connection: object) -> str | None:
    """Return the cursor after a connection's page; None at the end."""
    page = mapping(mapping(connection).get("pageInfo"))
    return text(page.get("endCursor")) if page.get("hasNextPage") is True else None
