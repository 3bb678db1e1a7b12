# SPDX-License-Identifier: EUPL-1.2
"""What the upkeep commands print: problems and results as JSON lines on stdout, progress on stderr."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from sync.server.listing import as_json, as_table
from sync.server.upkeep.backup import backup as copy
from sync.server.upkeep.backup import matches
from sync.server.upkeep.manifest import NAME, read_manifest
from sync.server.upkeep.owners import one_owner as find_one_owner
from sync.server.upkeep.problems import Problem, Tally
from sync.server.upkeep.restore import restore as put_back
from sync.server.upkeep.verify import verify as check

_EVERY_S = 1.0


class _Progress:
    """A line on stderr once a second."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def judged(self, tally: Tally) -> None:
        self._say(f"people {tally.people}, rooms {tally.rooms}, items {tally.items}, parts {tally.blobs}")

    def copied(self, what: str, done: int, of: int) -> None:
        self._say(f"{what} {done} of {of}")

    def _say(self, line: str) -> None:
        if time.monotonic() - self._told >= _EVERY_S:
            self._told = time.monotonic()
            print(line, file=sys.stderr)


def tell(problem: Problem) -> None:
    """One problem as a line of JSON."""
    print(json.dumps(asdict(problem)), flush=True)


def verify(args: argparse.Namespace, data: Path) -> int:
    """Exit status 0 only if nothing is wrong."""
    database = None
    if (data / NAME).exists():
        manifest = read_manifest(data)
        database = data / manifest.database
        if not matches(data, manifest):
            tell(Problem(what="database", where=manifest.database, code="blob-hash"))
            return 1
    tally = check(data, tell, _Progress().judged, room=args.room, database=database)
    print(json.dumps(asdict(tally)))
    return 0 if tally.problems == 0 else 1


def backup(args: argparse.Namespace, data: Path) -> int:
    """Prints the manifest. Exit status 1 if parts of files were missing; the rest is there."""
    made = copy(data, args.target, _Progress().copied, with_keys=args.with_keys)
    print(json.dumps(asdict(made)))
    return 0 if made.blobs_missing == 0 else 1


def restore(args: argparse.Namespace, data: Path) -> int:
    """Exit status 0 if the folder is in place."""
    tally = put_back(args.source, data, tell, _Progress().judged, keys=args.keys, damaged=args.damaged)
    print(json.dumps(asdict(tally)))
    return 0 if tally.problems == 0 or args.damaged else 1


def one_owner(args: argparse.Namespace, data: Path) -> int:
    """Exit status 0 if every room could be read."""
    found = find_one_owner(data)
    print(as_table(found.lines) if args.table else as_json(found.lines), end="")
    for room in found.unread:
        print(f"room {room} cannot be read here: run verify", file=sys.stderr)
    return 1 if found.unread else 0
