"""Meta keeps the contract of destinations."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import ClassVar

from adapters.destinations.meta import adapter
from bridge.events import (
    Conversion,
    CustomData,
    Item,
    LimitedDataUse,
    OriginalEvent,
    UserData,
)
from bridge.events.testing import DestinationContract

PERSON = UserData(
    email="Jane.Doe@example.com",
    phone="+1 650 555 1212",
    first_name="Jane",
    last_name="Brien",
    city="Portland",
    state="Oregon",
    zip="97201",
    country="US",
    customer_id="customer-4711",
    client_ip_address="203.0.113.9",
    client_user_agent="Mozilla/5.0",
)


class TestContract(DestinationContract):
    adapter = adapter
    settings: ClassVar = {
        "dataset_id": "1234567890",
        "access_token": "EAAcanarytoken",
        "app_secret": "canary-app-secret",
        "partner_agent": "capi-bridge",
    }
    conversions = (
        Conversion(
            event_name="Purchase",
            event_id="purchase.1001",
            event_time=datetime(2026, 11, 20, tzinfo=UTC),
            action_source="website",
            event_source_url="https://shop.example/thanks",
            external_id="shop:customer-4711",
            user_data=PERSON,
            custom_data=CustomData(
                value=Decimal("29.90"),
                currency="USD",
                contents=(Item(id="11", quantity=1, item_price=Decimal("29.90")),),
            ),
        ),
        Conversion(
            event_name="OrderRefunded",
            event_id="refund.1001",
            event_time=datetime(2026, 11, 21, tzinfo=UTC),
            action_source="system_generated",
            user_data=PERSON,
            limited_data_use=LimitedDataUse(country=1, state=1004),
            original_event=OriginalEvent(event_name="Purchase", event_id="purchase.1001"),
        ),
    )
