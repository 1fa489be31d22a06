"""gunicorn's configuration: all of it is in bridge/web/server.py."""

import sys

from bridge.config import load
from bridge.events import ConfigError
from bridge.web.server import settings

try:
    _settings = settings(load())
except ConfigError as error:
    sys.exit(f"Error: {error}")
globals().update({name: value for name, value in _settings.items() if value is not None})
