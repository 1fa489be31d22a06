"""A purchase that Meta takes, to be changed by the tests."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bridge.events import Conversion, CustomData, Item, UserData

pytest.register_assert_rewrite("bridge.events.testing")


@pytest.fixture
def purchase() -> Conversion:
    return Conversion(
        event_name="Purchase",
        event_id="purchase.1001",
        event_time=datetime(2026, 11, 20, 12, 0, 0, 900_000, tzinfo=UTC),
        action_source="website",
        event_source_url="https://shop.example/thank-you",
        external_id="shop:Customer 42",
        user_data=UserData(
            email="Jane.Doe@example.com",
            phone="(650) 555-1212",
            first_name="Jane",
            last_name="O'Brien",
            city="München",
            state="California",
            zip="94035-1234",
            country="US",
            client_ip_address="203.0.113.9",
            client_user_agent="Mozilla/5.0 (X11; Linux)",
        ),
        custom_data=CustomData(
            value=Decimal("29.90"),
            currency="eur",
            contents=(
                Item(id="11", quantity=1, item_price=Decimal("9.90")),
                Item(id="12", quantity=2, item_price=Decimal("10.00")),
            ),
            content_type="product",
            order_id="1001",
            num_items=3,
        ),
    )
