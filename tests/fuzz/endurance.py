# SPDX-License-Identifier: EUPL-1.2
"""Long runs of the structured generator, one process, by number: `python -m tests.fuzz.endurance rounds --out FOLDER`.

- `rounds`: the tools' own models write; every update must pass the grammar and be merged by the judge.
- `updates`: long histories of changed updates (streams.py); what the judge merges is given to the CRDT library and
  read. Counted are the updates, their bytes and sizes, the verdicts and the rules that were broken; the pieces of the
  grammar's reading that take over 5 ms, and how many of them by a search for garbage; and the branches of the grammar
  that are reached: by every 200th input, which is made a second time for that, and once by the edges of reaching.py.
- `whole`: such histories as objects of a real store, which must judge, index, open, snapshot, begin again and close
  (tests/fuzz/whole.py).

Input k of `updates` is the same in every run of one version. Those of the others have the same changes, but the
CRDT's clients are new in each process. The child notes k before it begins: one that dies of an input is started
again behind it, and the input is listed under `died`. An exception is listed in `failures.txt`, and the run goes on.
An input may take 60 s of processor time. FOLDER/tally.json has the figures; they are written every few seconds. A
child's temporary files lie in memory where there is room, else where Python puts them, and go with the child.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from app.core import garbage
from tests.fuzz.branches import Branches
from tests.fuzz.jobs import ENDS, JOBS
from tests.fuzz.reaching import edges
from tests.memory import memory_folder

NOTE_S = 5.0
CHILD_INPUTS = 1000
"""A child process ends after this many inputs, so that its memory does not grow for hours."""
WATCHED_INPUTS = 200
"""One in so many is made again to see which branches of the grammar it takes."""
INPUT_S = 60.0
"""Seconds of processor time, not of the clock: a run that is paused does not hang."""
ROOM = 1024**3
"""Bytes that must be free in memory for a child's temporary files: the stores of `whole` take 20 MB."""


def main() -> int:
    """The parent process: runs children until the given number of inputs or seconds. Returns 1 if an input failed or
    ended its child."""
    args = _arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.child:
        _child(args)
        return 0
    ends, tally = time.monotonic() + args.seconds, args.out / "tally.json"
    start, died = args.start, list[int]()
    end = args.start + args.count
    while start < end and (left := ends - time.monotonic()) > 0:
        command = [sys.executable, "-m", "tests.fuzz.endurance", args.job, "--child", "--out", str(args.out)]
        command += ["--start", str(start), "--count", str(min(CHILD_INPUTS, end - start)), "--seconds", str(left)]
        with tempfile.TemporaryDirectory(prefix="kansli-fuzz-", dir=memory_folder(ROOM)) as folder:
            env = os.environ | {"RUST_BACKTRACE": "0", "TMPDIR": folder}
            code = subprocess.run(command, check=False, env=env).returncode
        if code > 0:
            break
        if code == 0:
            start = json.loads(tally.read_text())["next"]
            continue
        number = int.from_bytes((args.out / "current").read_bytes(), "big")
        died.append(number)
        print(f"input {number} ended the child by signal {-code}", flush=True)
        start = number + 1
    found = json.loads(tally.read_text()) | {"died": died}
    tally.write_text(json.dumps(found, indent=1))
    print(json.dumps(found), flush=True)
    return 1 if died or found.get("failures") else 0


def _child(args: argparse.Namespace) -> None:
    path, current = args.out / "tally.json", os.open(args.out / "current", os.O_RDWR | os.O_CREAT, 0o600)
    counts = Counter[str]()
    branches, reached = _branches(args)
    if path.exists():
        found = json.loads(path.read_text())
        counts.update({k: v for k, v in found.items() if isinstance(v, int) and k not in reached})
    garbage.begin()  # as the program: else a search through all that the harness holds would count as a piece's time
    ends = noted = time.monotonic()
    ends += args.seconds
    for number in range(args.start, args.start + args.count):
        os.pwrite(current, number.to_bytes(8, "big"), 0)
        rng = Random(f"{args.job} {number}")
        _take(partial(JOBS[args.job], rng, counts), f"input {number}", args.out, counts)
        counts["inputs"] += 1
        if branches is not None and number % WATCHED_INPUTS == 0:
            with branches.watched(), contextlib.suppress(Exception):
                JOBS[args.job](Random(f"{args.job} {number}"), Counter())
        last = number + 1 == args.start + args.count or time.monotonic() > ends
        if last or time.monotonic() - noted > NOTE_S:
            noted = time.monotonic()
            _write(path, counts, reached, number + 1)
        if last:
            break
    if args.job in ENDS:
        _take(partial(ENDS[args.job], counts), f"the end after input {number}", args.out, counts)
    _write(path, counts, branches.save() if branches is not None else reached, number + 1)


def _write(path: Path, counts: Counter[str], reached: dict[str, Any], following: int) -> None:
    path.write_text(json.dumps(dict(sorted(counts.items())) | reached | {"next": following}, indent=1))


def _take(work: Callable[[], None], name: str, out: Path, counts: Counter[str]) -> None:
    """Runs the work of an input or of the end, with its bound; an exception is listed under `name`."""
    signal.setitimer(signal.ITIMER_PROF, INPUT_S)
    before = time.process_time()
    try:
        work()
    except KeyboardInterrupt:
        raise
    except BaseException:  # pycrdt's panics are no Exceptions
        counts["failures"] += 1
        with (out / "failures.txt").open("a") as failures:
            failures.write(f"{name}\n{traceback.format_exc()}\n")
    took_ms = round((time.process_time() - before) * 1000)
    counts["cpu_ms"] += took_ms
    counts["slowest_input_ms"] = max(counts["slowest_input_ms"], took_ms)


def _branches(args: argparse.Namespace) -> tuple[Branches | None, dict[str, Any]]:
    """What measures the grammar's branches, if the job does, and what the processes before this one reached."""
    if args.job != "updates":
        return None, {}
    path = args.out / "branches"
    begins = not path.exists()
    branches = Branches(path)
    if begins:
        with branches.watched():
            edges()
    return branches, branches.save()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=list(JOBS))
    parser.add_argument("--start", type=int, default=0, help="the first input's number")
    parser.add_argument("--count", type=int, default=1 << 40, help="how many inputs")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
