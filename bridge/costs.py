"""Unit costs as merchants have them: a table of SKU or id, and cost."""

import csv
from decimal import Decimal

from bridge.events import ConfigError
from bridge.events.reading import number as numeric


def read_costs(name: str, content: bytes) -> dict[str, Decimal]:
    """Return the costs in a CSV file: SKU or id, cost in the shop's own currency.

    Raises ConfigError that names the file and the line.
    """
    found: dict[str, Decimal] = {}
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8 text; save it as CSV UTF-8") from None
    try:
        rows = list(csv.reader(lines))
    except csv.Error:
        raise ConfigError(f"{name}: is not a CSV file") from None
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        cost = numeric(cells[1]) if len(cells) > 1 else None
        if cost is not None and cost >= 0 and cells[0]:
            found[cells[0]] = cost
        elif number > 1:  # the first line may name the columns
            raise ConfigError(f"{name}, line {number}: must be a SKU or id, and a cost")
    return found
