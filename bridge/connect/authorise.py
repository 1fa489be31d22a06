"""Keys that a shop hands over after its operator agreed in the browser."""

import secrets
from datetime import timedelta

from bridge import registry
from bridge.events import ConfigError, Request, SourceAdapter, VerificationError
from bridge.store import Source, Store
from bridge.store.connections import key_hash

VALID = timedelta(minutes=15)
TERMINAL = "terminal"  # the session of whoever may run commands


def made_secret(adapter: SourceAdapter) -> str:
    """Return a webhook secret that nobody has to see; empty where the shop system asks for none."""
    name = adapter.secret_setting
    needed = any(one.name == name and one.required for one in adapter.settings)
    return secrets.token_hex(24) if needed else ""


def authorise_url(
    store: Store, source: Source, base_url: str, *, session: str, return_url: str = ""
) -> str:
    """Return where the operator's browser is to go, to grant access to the shop.

    The state in it counts once, for a quarter of an hour, and no longer than *session* lasts:
    whoever calls back with a guessed state, or after its operator has left, changes nothing.  The
    browser comes back to *return_url*, else to the front page; raises ConfigError where the shop
    system has no such page.
    """
    admin = registry.source(source.kind).admin
    state = secrets.token_urlsafe(24)
    url = admin and admin.authorize_url(
        source.settings,
        state=state,
        callback_url=f"{base_url}/connect/{state}",
        return_url=return_url or base_url,
    )
    if not url:
        raise ConfigError(f"source {source.name}: this shop system has no page to grant access")
    store.connections.expect_grant(state, source.id, session, store.now() + _span(VALID))
    return url


def take_grant(store: Store, state: str, request: Request) -> Source:
    """Store the keys that the shop posted; raises VerificationError for a state of ours not.

    The shop's call is not signed: the state is all that proves it.
    """
    taken = store.connections.take_grant(state, store.now())
    if taken is None:
        raise VerificationError("the state is unknown, used or too old")
    source_id, session = taken
    if session != key_hash(TERMINAL) and not store.accounts.is_open(session):
        raise VerificationError("the operator who asked for it has signed out")
    source = store.connections.source(str(source_id))
    admin = registry.source(source.kind).admin
    if admin is None:
        raise VerificationError("this shop system grants no keys")
    told, settings = admin.authorized(request)
    if not secrets.compare_digest(told.encode(), state.encode()):
        raise VerificationError("the state in the body is another one")
    store.connections.remember(source_id, settings)
    store.history.audit("shop", "source.granted", source.name)
    # Its webhooks are made at the guardian's next turn, not within the hour.
    store.watches.change_watch(source_id, next_at=0)
    return source


def _span(delta: timedelta) -> int:
    return delta // timedelta(microseconds=1)
