"""What people write by hand: one `EventRequest.execute()` of facebook-business an event.

The same order as ours, mapped without a look at states, consent or what is missing.
"""

import json
import time

from facebook_business.adobjects.serverside.action_source import ActionSource
from facebook_business.adobjects.serverside.content import Content
from facebook_business.adobjects.serverside.custom_data import CustomData
from facebook_business.adobjects.serverside.event import Event
from facebook_business.adobjects.serverside.event_request import EventRequest
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession


def connect(graph_url: str) -> None:
    """Let the library post to *graph_url*."""
    FacebookSession.GRAPH = graph_url
    FacebookAdsApi.init(access_token="t", crash_log=False)


def post(body: bytes) -> None:
    """Build the order's Purchase and post it."""
    order = json.loads(body)
    buyer = order["billing"]
    user_data = UserData(
        emails=[buyer["email"]],
        phones=[buyer["phone"]],
        first_names=[buyer["first_name"]],
        last_names=[buyer["last_name"]],
        cities=[buyer["city"]],
        states=[buyer["state"]],
        zip_codes=[buyer["postcode"]],
        country_codes=[buyer["country"].lower()],
        external_ids=[str(order["customer_id"])],
        client_ip_address=order["customer_ip_address"],
        client_user_agent=order["customer_user_agent"],
    )
    contents = [
        Content(
            product_id=str(line["variation_id"] or line["product_id"]),
            quantity=line["quantity"],
            item_price=float(line["total"]) / line["quantity"],
        )
        for line in order["line_items"]
    ]
    event = Event(
        event_name="Purchase",
        event_id=f"purchase.{order['id']}",
        event_time=int(time.time()),
        action_source=ActionSource.WEBSITE,
        event_source_url="https://shop.example/",
        user_data=user_data,
        custom_data=CustomData(
            value=float(order["total"]),
            currency=order["currency"].lower(),
            order_id=str(order["number"]),
            contents=contents,
        ),
    )
    EventRequest(pixel_id="1", events=[event]).execute()
