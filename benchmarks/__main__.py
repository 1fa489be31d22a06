"""``python -m benchmarks [--json] [--quick | --rounds N] [GROUP…]``: the ratios.

Groups are `acks`, `sending`, `accepted`; all by default.  Progress goes to standard error; the
last line is one JSON object.  How to read it: docs/benchmarks.md.
"""

import argparse
import json

from . import accepted, acks, measure, sending

GROUPS = {"sending": sending.run, "acks": acks.run, "accepted": accepted.run}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], default=[])
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    parser.add_argument("--quick", action="store_true", help="three rounds: says little")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    ratios: dict[str, float] = {}
    for name in options.groups or GROUPS:
        measure.say(f"measuring {name} …")
        ratios |= GROUPS[name](3 if options.quick else options.rounds)
    if not options.json:
        for name, ratio in ratios.items():
            print(f"{name:45} {ratio:8.2f}")
    print(json.dumps(ratios))


main()
