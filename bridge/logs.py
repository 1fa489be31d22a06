"""Logs as lines of JSON: a dotted event and fields, never prose, never personal data."""

import logging
import sys
from typing import Any

import structlog

# Libraries that would write tokens or addresses when they are verbose.
_QUIET = ("urllib3", "pyactiveresource", "requests", "sqlalchemy", "alembic", "werkzeug")


def configure(level: str) -> None:
    """Send all logs of the process to standard error in one form."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
