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
    if not (email or phone or customer):
        raise ConfigError("erase: say who, by --email, --phone or --customer")
    if customer and not source:
        raise ConfigError("erase: --customer needs --source, for customer ids are local to a shop")
    store = open_store()
    found = store.connections.source(source) if source else None
    redaction = Redaction(customer_id=customer or None, email=email or None, phone=phone or None)
    if dry_run:
        count = sum(
            len(store.subjects.events_about(one.id, care.keys_for(store, one, redaction)))
            for one in store.connections.sources()
            if found is None or one.id == found.id
        )
    else:
        erasure = Erasure(
            id=0, source_id=found.id if found else None, redaction=redaction, actor="cli"
        )
        count = care.erase(store, erasure)
        store.history.audit("cli", "privacy.erased", source or "everywhere", f"{count} records")
    if as_json:
        print_json({"records": count, "erased": not dry_run})
    else:
        click.echo(f"{count} records {'found' if dry_run else 'erased'}")
