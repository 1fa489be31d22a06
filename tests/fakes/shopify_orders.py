"""An order as the Admin API's GraphQL tells it, made of its webhook body."""

from typing import Any

PERSONAL = {"email", "phone", "firstName", "lastName", "zip", "emailAddress", "phoneNumber"}


def as_graphql(order: dict[str, Any], *, redacted: bool = False) -> dict[str, Any]:
    """Return the fields that queries ask for; *redacted* takes the protected ones away."""
    node = {
        "legacyResourceId": str(order["id"]),
        "name": order["name"],
        "number": order["order_number"],
        "createdAt": order["created_at"],
        "processedAt": order["processed_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order["cancelled_at"],
        "test": order["test"],
        "tags": [tag.strip() for tag in order["tags"].split(",") if tag.strip()],
        "sourceName": order["source_name"],
        "displayFinancialStatus": order["financial_status"].upper(),
        "paymentGatewayNames": order["payment_gateway_names"],
        "email": order["email"],
        "phone": order["phone"],
        "clientIp": order["browser_ip"],
        "cartToken": order["cart_token"],
        "checkoutToken": order["checkout_token"],
        "currencyCode": order["currency"],
        "presentmentCurrencyCode": order["presentment_currency"],
        "taxesIncluded": order["taxes_included"],
        "dutiesIncluded": order["duties_included"],
        "customAttributes": [
            {"key": each["name"], "value": each["value"]} for each in order["note_attributes"]
        ],
        "customerJourneySummary": {
            "lastVisit": {
                "landingPage": f"https://shop.example{order['landing_site']}",
                "referrerUrl": order["referring_site"],
            }
        },
        "totalPriceSet": _bag(order["total_price_set"]),
        "totalTaxSet": _bag(order["total_tax_set"]),
        "totalShippingPriceSet": _bag(order["total_shipping_price_set"]),
        "originalTotalDutiesSet": _bag(order["original_total_duties_set"]),
        "originalTotalAdditionalFeesSet": _bag(order["original_total_additional_fees_set"]),
        "customer": _customer(order["customer"]),
        "billingAddress": _address(order["billing_address"]),
        "shippingAddress": _address(order["shipping_address"]),
        "lineItems": {"nodes": [_line(line) for line in order["line_items"]]},
        "shippingLines": {
            "nodes": [_priced(line, "originalPriceSet") for line in order["shipping_lines"]]
        },
    }
    return _without(node) if redacted else node


def _bag(money: dict[str, Any] | None) -> dict[str, Any] | None:
    if money is None:
        return None
    sides = (("shopMoney", "shop_money"), ("presentmentMoney", "presentment_money"))
    return {
        name: {"amount": money[key]["amount"], "currencyCode": money[key]["currency_code"]}
        for name, key in sides
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": line["title"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "isGiftCard": line["gift_card"],
        "product": line["product_id"] and {"id": f"gid://shopify/Product/{line['product_id']}"},
        "variant": line["variant_id"]
        and {"id": f"gid://shopify/ProductVariant/{line['variant_id']}"},
        "sellingPlan": None,
        **_priced(line, "originalUnitPriceSet"),
    }


def _priced(line: dict[str, Any], name: str) -> dict[str, Any]:
    return {
        name: _bag(line["price_set"]),
        "discountAllocations": [
            {"allocatedAmountSet": _bag(each["amount_set"])}
            for each in line["discount_allocations"]
        ],
        "taxLines": [
            {"rate": each["rate"], "priceSet": _bag(each["price_set"])}
            for each in line["tax_lines"]
        ],
    }


def _customer(customer: dict[str, Any] | None) -> dict[str, Any] | None:
    return customer and {
        "legacyResourceId": str(customer["id"]),
        "firstName": customer["first_name"],
        "lastName": customer["last_name"],
        "defaultEmailAddress": customer["email"] and {"emailAddress": customer["email"]},
        "defaultPhoneNumber": customer["phone"] and {"phoneNumber": customer["phone"]},
        "defaultAddress": _address(customer.get("default_address")),
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    return address and {
        "firstName": address["first_name"],
        "lastName": address["last_name"],
        "city": address["city"],
        "zip": address["zip"],
        "province": address["province"],
        "provinceCode": address["province_code"],
        "countryCodeV2": address["country_code"],
        "phone": address["phone"],
    }


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: None if name in PERSONAL else _without(below) for name, below in value.items()
        }
    return [_without(item) for item in value] if isinstance(value, list) else value
