"""Tables as CSV files, written while they are read."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import astuple, fields
from typing import Any

from flask import Response

from bridge.store import moment

from . import current

_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.]+$)")


def download(name: str, kind: Any, lines: Iterator[Any]) -> Response:
    """Return *lines*, all of the dataclass *kind*, as a file named after today."""
    today = moment(current.store().now())
    return Response(
        _csv(kind, lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}-{today:%Y-%m-%d}.csv"'},
    )


def _csv(kind: Any, lines: Iterator[Any]) -> Iterator[str]:
    """Yield the file in parts of some kilobytes."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = [field.name for field in fields(kind)]
    writer.writerow(names)
    for line in lines:
        writer.writerow(
            moment(value).isoformat() if value and _is_time(name) else _cell(value)
            for name, value in zip(names, astuple(line), strict=True)
        )
        if text.tell() > 16_384:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _is_time(name: str) -> bool:
    return name == "at" or name.endswith("_at")


def _cell(value: object) -> str:
    """Return text that no spreadsheet takes for a formula."""
    cell = "" if value is None else str(value)
    return f"'{cell}" if _FORMULA.match(cell) else cell
