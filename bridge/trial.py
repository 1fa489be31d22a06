"""One event sent on request, to see what the platform says."""

import secrets
from collections.abc import Callable
from datetime import datetime

from bridge import net, registry
from bridge.events import (
    BridgeError,
    Conversion,
    Endpoint,
    Finding,
    Receipt,
    Request,
    Response,
    UserData,
)
from bridge.store import Destination

EVENT_NAME = "BridgeTest"
Post = Callable[[Request], Response]


def send_trial(
    destination: Destination,
    endpoint: Endpoint,
    now: datetime,
    *,
    test_event_code: str = "",
    post: Post = net.send,
) -> Receipt:
    """Return the answer to one custom event named BridgeTest, of an invented person.

    Raises BridgeError where it could not be sent, or was not answered.
    """
    adapter = registry.destination(destination.kind)
    conversion = Conversion(
        event_name=EVENT_NAME,
        event_id=f"test.{secrets.token_hex(6)}",
        event_time=now,
        action_source="other",
        user_data=UserData(email="capi-bridge-test@example.com"),
    )
    payload = adapter.render(conversion, destination.settings)
    request = adapter.request([payload], destination.settings, endpoint, test_event_code)
    return adapter.read(post(request), 1)


def check_access(destination: Destination, endpoint: Endpoint, post: Post = net.send) -> Finding:
    """Return whether the platform lets us in; nothing is sent.  Never raises."""
    adapter = registry.destination(destination.kind)
    try:
        request = adapter.dataset_request(destination.settings, endpoint)
        if request is not None:
            return adapter.read_dataset(post(request))
    except (net.NotSent, net.NoAnswer) as error:  # that says nothing of the access
        return Finding(name="access", status="warn", message=str(error))
    except BridgeError as error:
        return Finding(name="access", status="fail", message=str(error))
    return Finding(name="access", status="warn", message="this platform cannot be asked")
