"""``python -m bridge`` is ``capi-bridge``."""

from bridge.cli import main

main()
