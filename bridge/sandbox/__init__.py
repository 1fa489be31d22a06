"""A local stand-in of Meta's Graph API: it refuses what Meta refuses, and fails on command."""

from bridge.sandbox.app import Rules, create_app
from bridge.sandbox.faults import Faults, parse
from bridge.sandbox.server import Sandbox, serve

__all__ = ["Faults", "Rules", "Sandbox", "create_app", "parse", "serve"]
