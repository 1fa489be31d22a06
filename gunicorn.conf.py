"""gunicorn's configuration: all of it is in bridge/web/server.py."""

from bridge.config import load
from bridge.web.server import settings

globals().update({name: value for name, value in settings(load()).items() if value is not None})
