# SPDX-License-Identifier: EUPL-1.2
"""Runs the upkeep commands: prints problems and results as JSON lines on stdout, progress on stderr."""

import argparse
import contextlib
import errno
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sync.errors import Reject
from sync.server.config import Config, ConfigError
from sync.server.operator import admin_log
from sync.server.operator.listing import in_form
from sync.server.operator.upkeep.audit import kept_until
from sync.server.operator.upkeep.backup import backup as copy
from sync.server.operator.upkeep.backup import drop_parts, matches
from sync.server.operator.upkeep.manifest import NAME, read_manifest
from sync.server.operator.upkeep.owners import one_owner as find_one_owner
from sync.server.operator.upkeep.problems import Problem, Tally
from sync.server.operator.upkeep.restore import restore as put_back
from sync.server.operator.upkeep.verify import verify as check
from sync.server.store.admin_chain import OK
from sync.server.store.base import StoreError

_EVERY_S = 1.0
_KEPT = (
    "The admin log is kept up to entry {}. What administrators did after the backup is not in it: "
    "the log of the server before has copies."
)


class _Progress:
    """Prints the progress of a command on stderr, at most once a second. Its methods are passed to the command as
    callbacks: `judged` to a verification (prints its counts so far), `copied` to a backup (prints how many of how
    many)."""

    def __init__(self) -> None:
        self._printed_at = time.monotonic()

    def judged(self, tally: Tally) -> None:
        self._print_line(f"people {tally.people}, rooms {tally.rooms}, items {tally.items}, parts {tally.blobs}")

    def copied(self, what: str, done: int, of: int) -> None:
        self._print_line(f"{what} {done} of {of}")

    def _print_line(self, line: str) -> None:
        if time.monotonic() - self._printed_at >= _EVERY_S:
            self._printed_at = time.monotonic()
            print(line, file=sys.stderr)


def print_problem(problem: Problem) -> None:
    """Prints one problem as a line of JSON."""
    print(json.dumps(asdict(problem)), flush=True)


def verify(args: argparse.Namespace, data: Path) -> int:
    """Verifies `data` (a data folder or a backup) or one room in it (`args.room`), and prints each problem and the
    counts. Returns the exit status, 0 without problems, otherwise 1. If a backup's database is not the one in its
    manifest, that problem alone is printed. ConfigError if `data` has no agency.pub or a manifest that cannot be read,
    StoreError for a later version's database."""
    return _verify(data, args.room, print_problem)


def _verify(data: Path, room: bytes | None, on_problem: Callable[[Problem], None]) -> int:
    database = None
    if (data / NAME).exists():
        manifest = read_manifest(data)
        database = data / manifest.database
        if not matches(data, manifest):
            on_problem(Problem(what="database", where=manifest.database, code="blob-hash"))
            return 1
    tally = check(data, on_problem, _Progress().judged, room=room, database=database)
    print(json.dumps(asdict(tally)))
    return 0 if tally.problems == 0 else 1


def backup(args: argparse.Namespace, data: Path) -> int:
    """Makes a backup of the data folder `data` at `args.target` and prints its manifest; with --verify also what
    `verify` prints for the copy. Returns the exit status: 1 if parts of files were missing (the rest is copied), or if
    --verify found the copy damaged. Records in the data folder whether it succeeded, which a server reads for its
    figures; the error of a backup that failed is recorded and raised."""
    about = {"with_keys": int(args.with_keys)}
    try:
        result = _copy(args, data)
    except (ConfigError, Reject, StoreError, OSError) as e:
        if Config(data=data).database.exists():
            with contextlib.suppress(StoreError, OSError):  # the backup's own error is what the operator must see
                admin_log.note(data, "backup", result=_code(e), **about)
        raise
    admin_log.note(data, "backup", result=result, **about)
    return 0 if result == OK else 1


def _copy(args: argparse.Namespace, data: Path) -> str:
    """Makes the backup of the data folder `data` at `args.target` and prints its manifest. Verifies the backup with
    `args.verify`. Returns "damaged" if that found a fault; otherwise "blob-missing" if the server lacks a file part, so
    that the backup lacks it too, and "ok" if not. A file part that is damaged in the backup is removed from it, so that
    the next backup copies the part again. A backup that fails raises its error."""
    made = copy(data, args.target, _Progress().copied, with_keys=args.with_keys)
    print(json.dumps(asdict(made)))
    rotten: list[str] = []

    def note_problem(problem: Problem) -> None:
        rotten.extend([problem.where] if (problem.what, problem.code) == ("blob", "blob-hash") else [])
        print_problem(problem)

    if args.verify and _verify(args.target, None, note_problem):
        drop_parts(args.target, rotten)
        return "damaged"
    return OK if made.blobs_missing == 0 else "blob-missing"


def _code(e: Exception) -> str:
    """The code that the admin log records for `e`, the error with which a backup failed. For an OSError the system's
    name of it, such as "enospc", or "io" if it has none. For any other the error's own `code`, or "refused" if it has
    none."""
    if isinstance(e, OSError):
        return errno.errorcode.get(e.errno or 0, "io").lower()
    return str(getattr(e, "code", "refused"))


def restore(args: argparse.Namespace, data: Path) -> int:
    """Makes the data folder `data` from the backup in `args.source` (`args.keys`: the folder of its keys, if they are
    elsewhere), and prints problems and counts. Returns the exit status: 0 if the new data folder is in place, 1 if the
    backup has problems and nothing was put in place. With `args.damaged` it is put in place in spite of problems.
    ConfigError, Reject or Full if the restore is not possible."""
    tally = put_back(args.source, data, print_problem, _Progress().judged, keys=args.keys, damaged=args.damaged)
    print(json.dumps(asdict(tally)))
    if tally.problems and not args.damaged:
        how = "copy the backup again, or use --damaged (the guide says what is lost then)"
        print(f"{args.source}: problems: {tally.problems}. Nothing was put in place: {how}", file=sys.stderr)
        return 1
    print(f"{_KEPT.format(kept_until(data))} `status` says what is to be done again.", file=sys.stderr)
    return 0


def one_owner(args: argparse.Namespace, data: Path) -> int:
    """Prints the rooms in the data folder `data` that depend on one owner: rooms of two or more members, in which at
    most one owner still has an account. Without that person no member could appoint an owner. `args.table`: as a table,
    not as JSON. Returns the exit status, 0 if every room could be read, otherwise 1. ConfigError if the folder has no
    agency.pub, StoreError if its database cannot be read."""
    found = find_one_owner(data)
    print(in_form(found.lines, table=args.table), end="")
    for room in found.unread:
        print(f"room {room} cannot be read here: run verify", file=sys.stderr)
    return 1 if found.unread else 0
