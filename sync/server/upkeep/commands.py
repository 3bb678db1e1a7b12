# SPDX-License-Identifier: EUPL-1.2
"""What the upkeep commands print: problems and results as JSON lines on stdout, progress on stderr."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from sync.server.upkeep.problems import Problem, Tally
from sync.server.upkeep.verify import verify as check

_EVERY_S = 1.0


class _Progress:
    """A line on stderr once a second."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, tally: Tally) -> None:
        if time.monotonic() - self._told >= _EVERY_S:
            self._told = time.monotonic()
            print(
                f"people {tally.people}, rooms {tally.rooms}, items {tally.items}, parts {tally.blobs}", file=sys.stderr
            )


def tell(problem: Problem) -> None:
    """One problem as a line of JSON."""
    print(json.dumps(asdict(problem)), flush=True)


def verify(args: argparse.Namespace) -> int:
    """Exit status 0 only if nothing is wrong."""
    tally = check(args.data, tell, _Progress(), room=args.room)
    print(json.dumps(asdict(tally)))
    return 0 if tally.problems == 0 else 1
