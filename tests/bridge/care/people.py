"""Two people, whose words must be found nowhere once they are erased."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bridge.events import Redaction
from bridge.store import Erasure, Store, schema
from bridge.store.rotation import SEALED
from tests.bridge.translate.line import Line
from tests.bridge.translate.shops import order


@dataclass(frozen=True)
class Person:
    """Somebody who buys; the phone as a shop writes it, and as E.164."""

    email: str
    customer_id: int
    first_name: str
    last_name: str
    street: str
    phone: str
    e164: str
    ip: str
    orders: tuple[int, ...]

    def words(self) -> list[str]:
        """Return what must be found nowhere, in lower case."""
        number = "".join(filter(str.isdigit, self.phone))
        words = (self.email, self.first_name, self.last_name, self.street, number, self.ip)
        return [word.casefold() for word in words]


ANN = Person(
    email="Ann.Canary@mail.example",
    customer_id=7412345678901,
    first_name="Annegret",
    last_name="Kanarienvogel",
    street="Vogelweg 77",
    phone="0171 555 98 76",
    e164="+491715559876",
    ip="203.0.113.77",
    orders=(101, 102),
)
# The other's words begin or end like the first one's, so that only whole ones may be found.
JOANN = Person(
    email="Jo.Ann.Canary@mail.example",
    customer_id=17412345678901,
    first_name="Johannes",
    last_name="Zaunkönig",
    street="Heckenweg 8",
    phone="0171 555 98 761",
    e164="+4917155598761",
    ip="203.0.113.8",
    orders=(7412345, 202),
)


def bought(kind: str, person: Person, order_id: int, state: str = "paid", minute: int = 1) -> Any:
    """Return topic and body of an order of *person*."""
    topic, body = order(kind, order_id, state, minute)
    address = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "address1": person.street,
        "address_1": person.street,
        "phone": person.phone,
        "country": "DE",
        "country_code": "DE",
        "city": "Hamburg",
    }
    if kind == "shopify":
        body["customer"] = {"id": person.customer_id, "email": person.email, "phone": person.e164}
        body |= {"email": person.email, "contact_email": person.email, "phone": person.e164}
        body |= {"billing_address": address, "shipping_address": address}
        body |= {"browser_ip": person.ip, "note": f"call {person.phone}"}
        body["client_details"] = {"browser_ip": person.ip, "user_agent": "Mozilla/5.0"}
        body["token"] = body["checkout_token"] = f"checkout-{person.customer_id}-{order_id}"
        body["landing_site"] = "/"
        body["order_status_url"] = "https://nordlicht.example/orders"
    else:
        body["billing"] = address | {"email": person.email}
        body |= {"shipping": address, "customer_id": person.customer_id}
        body |= {"customer_ip_address": person.ip, "order_key": f"wc_order_{order_id}aaaaaaaa"}
    return topic, body


def live(line: Line) -> None:
    """Let both people buy twice; the second order of each waits in the line's hold."""
    for person in (ANN, JOANN):
        for order_id in person.orders:
            line.tell(*bought(line.source.kind, person, order_id))


def who(person: Person, how: str) -> Redaction:
    """Return the redaction of *person* by one of their words."""
    return {
        "email": Redaction(email=person.email.swapcase()),
        "phone": Redaction(phone=person.e164),
        "customer": Redaction(customer_id=str(person.customer_id)),
        "orders": Redaction(order_ids=tuple(map(str, person.orders))),
    }[how]


def erasure(redaction: Redaction, source_id: int | None = None) -> Erasure:
    return Erasure(id=0, source_id=source_id, redaction=redaction, actor="cli")


def everything(store: Store) -> str:
    """Return all that the database holds, every sealed value opened, in lower case."""
    contexts = {(table.name, column): context for table, _, column, context in SEALED}
    found = []
    with store.database.read() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(table.select()).mappings():
                for name, value in row.items():
                    context = contexts.get((table.name, name))
                    opened = store.vault.open(value, context) if context and value else value
                    found.append(_text(opened))
    return "\n".join(found).casefold()


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    text = value.decode("utf-8", "replace")
    body = text.partition("\n")[2] or text
    try:  # raw bodies escape what is not ASCII
        return text + json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return text


def left_of(store: Store, person: Person) -> list[str]:
    """Return those of the person's words that the database still holds, as words of their own."""
    kept = everything(store)
    texts = (kept, kept.replace(" ", ""))
    return [
        word
        for word in person.words()
        if any(re.search(rf"(?<![.\w]){re.escape(word)}(?!\w)", text) for text in texts)
    ]
