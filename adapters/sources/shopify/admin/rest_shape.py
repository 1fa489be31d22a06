"""An order of GraphQL, written as the webhook writes it.

What GraphQL does not tell is left out: there is no user agent in it.
Source: the published Admin schema 2026-10 (read 2026-11-23).
"""

from collections.abc import Mapping
from typing import Any

from bridge.events.reading import mapping, mappings, text

Body = dict[str, Any]


def rest_shape(order: Mapping[str, Any]) -> Body:
    """Return the body that a webhook would have for *order*, as far as GraphQL tells it."""
    visit = mapping(mapping(order.get("customerJourneySummary")).get("lastVisit"))
    return {
        "id": _number(order.get("legacyResourceId")),
        "name": order.get("name"),
        "order_number": order.get("number"),
        "created_at": order.get("createdAt"),
        "processed_at": order.get("processedAt"),
        "updated_at": order.get("updatedAt"),
        "cancelled_at": order.get("cancelledAt"),
        "test": order.get("test"),
        "tags": ", ".join(tag for tag in _list(order.get("tags")) if isinstance(tag, str)),
        "source_name": order.get("sourceName"),
        "financial_status": (text(order.get("displayFinancialStatus")) or "").lower() or None,
        "payment_gateway_names": order.get("paymentGatewayNames"),
        "email": order.get("email"),
        "phone": order.get("phone"),
        "browser_ip": order.get("clientIp"),
        "cart_token": order.get("cartToken"),
        "checkout_token": order.get("checkoutToken"),
        "landing_site": visit.get("landingPage"),
        "referring_site": visit.get("referrerUrl"),
        "note_attributes": [
            {"name": each.get("key"), "value": each.get("value")}
            for each in mappings(order.get("customAttributes"))
        ],
        "customer": _customer(mapping(order.get("customer"))),
        "billing_address": _address(mapping(order.get("billingAddress"))),
        "shipping_address": _address(mapping(order.get("shippingAddress"))),
        **_money(order),
    }


def _money(order: Mapping[str, Any]) -> Body:
    return {
        "currency": order.get("currencyCode"),
        "presentment_currency": order.get("presentmentCurrencyCode"),
        "taxes_included": order.get("taxesIncluded"),
        "duties_included": order.get("dutiesIncluded"),
        "total_price_set": _set(order.get("totalPriceSet")),
        "total_tax_set": _set(order.get("totalTaxSet")),
        "total_shipping_price_set": _set(order.get("totalShippingPriceSet")),
        "original_total_duties_set": _set(order.get("originalTotalDutiesSet")),
        "original_total_additional_fees_set": _set(order.get("originalTotalAdditionalFeesSet")),
        "line_items": [_line(line) for line in _nodes(order.get("lineItems"))],
        "shipping_lines": [
            _priced(line, "original") for line in _nodes(order.get("shippingLines"))
        ],
    }


def _line(line: Mapping[str, Any]) -> Body:
    return {
        "title": line.get("title"),
        "sku": line.get("sku"),
        "quantity": line.get("quantity"),
        "gift_card": line.get("isGiftCard"),
        "product_id": _last_number(mapping(line.get("product")).get("id")),
        "variant_id": _last_number(mapping(line.get("variant")).get("id")),
        "selling_plan_id": _last_number(mapping(line.get("sellingPlan")).get("sellingPlanId")),
        **_priced(line, "originalUnit"),
    }


def _priced(line: Mapping[str, Any], word: str) -> Body:
    return {
        "price_set": _set(line.get(f"{word}PriceSet")),
        "discount_allocations": [
            {"amount_set": _set(each.get("allocatedAmountSet"))}
            for each in mappings(line.get("discountAllocations"))
        ],
        "tax_lines": [
            {"rate": each.get("rate"), "price_set": _set(each.get("priceSet"))}
            for each in mappings(line.get("taxLines"))
        ],
    }


def _set(value: object) -> Body | None:
    if not isinstance(value, dict):
        return None
    sides = (("shop_money", "shopMoney"), ("presentment_money", "presentmentMoney"))
    money = {name: mapping(value.get(key)) for name, key in sides}
    return {
        name: {"amount": side.get("amount"), "currency_code": side.get("currencyCode")}
        for name, side in money.items()
    }


def _customer(customer: Mapping[str, Any]) -> Body | None:
    if not customer:
        return None
    return {
        "id": _number(customer.get("legacyResourceId")),
        "first_name": customer.get("firstName"),
        "last_name": customer.get("lastName"),
        "email": mapping(customer.get("defaultEmailAddress")).get("emailAddress"),
        "phone": mapping(customer.get("defaultPhoneNumber")).get("phoneNumber"),
        "default_address": _address(mapping(customer.get("defaultAddress"))),
    }


def _address(address: Mapping[str, Any]) -> Body | None:
    if not address:
        return None
    return {
        "first_name": address.get("firstName"),
        "last_name": address.get("lastName"),
        "city": address.get("city"),
        "zip": address.get("zip"),
        "province": address.get("province"),
        "province_code": address.get("provinceCode"),
        "country_code": address.get("countryCodeV2"),
        "phone": address.get("phone"),
    }


def _nodes(connection: object) -> list[Mapping[str, Any]]:
    return mappings(mapping(connection).get("nodes"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _last_number(gid: object) -> int | None:
    return _number(gid.rpartition("/")[2].partition("?")[0]) if isinstance(gid, str) else None


def _number(value: object) -> int | None:
    """Return an id as the number it is in the webhook; GraphQL writes it as text."""
    digits = str(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None
