"""``python -m benchmarks [--json]``: the ratios; the last line is one JSON object."""

import json
import sys

from benchmarks import acks, sending


def main() -> None:
    """Measure and print."""
    ratios: dict[str, float] = {}
    for name, measure in (("acks", acks.measure), ("sending", sending.measure)):
        if "--json" not in sys.argv:
            print(f"measuring {name} …", file=sys.stderr)
        ratios |= measure()
    for name, ratio in ratios.items():
        print(f"{name:45} {ratio:8.2f}")
    print(json.dumps(ratios))


main()
