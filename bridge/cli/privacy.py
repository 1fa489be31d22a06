"""``capi-bridge erase``: forget a person."""

import click

from bridge import care
from bridge.events import ConfigError, Redaction
from bridge.store import Erasure

from .shared import as_json_option, open_store, print_json


@click.command()
@click.option("--email", default="", help="Their e-mail address.")
@click.option("--phone", default="", help="Their phone number, with country code.")
@click.option("--customer", default="", help="Their customer id in the shop (with --source).")
@click.option("--source", default="", help="Only in this shop (default: in all).")
@click.option("--dry-run", is_flag=True, help="Only count what there is.")
@as_json_option
def erase(email: str, phone: str, customer: str, source: str, dry_run: bool, as_json: bool) -> None:
    """Erase a person from events and raw deliveries; ids of orders stay for the ledger."""
    person = Redaction(
        email=email.strip() or None,
        phone=phone.strip() or None,
        customer_id=customer.strip() or None,
    )
    if person == Redaction():
        raise ConfigError("erase: say who, by --email, --phone or --customer")
    if person.customer_id and not source:
        raise ConfigError("erase: --customer needs --source, for customer ids are local to a shop")
    store = open_store()
    found = store.connections.source(source) if source else None
    for shop in [found] if found else store.connections.sources():
        if person.phone and not care.keys_for(store, shop, person).phone_key:
            raise ConfigError("erase: --phone is no number, or lacks its country code, like +49")
    erasure = Erasure(id=0, source_id=found.id if found else None, redaction=person, actor="cli")
    if dry_run:
        count = care.count(store, erasure)
    else:
        count = care.erase(store, erasure)
        store.history.audit("cli", "privacy.erased", source or "everywhere", f"{count} records")
    if as_json:
        print_json({"records": count, "erased": not dry_run})
    else:
        click.echo(f"{count} records {'found' if dry_run else 'erased'}")
