# SPDX-License-Identifier: EUPL-1.2
"""`make fuzz` without atheris: a target's inputs, then random changes of them.

Run as a program, it forks a process for each line on stdin, `TARGET RUNS SEED MEMORY_BYTES FILE`, and answers with its
exit status: to import all targets takes longer than a few inputs. What the process prints goes to the file.
"""

import os
import resource
import signal
import sys
import traceback
from itertools import chain, count, islice
from pathlib import Path
from random import Random

from tests.fuzz.target import BUILD, SECONDS, WAITING_S
from tests.fuzz.targets import TARGETS


def run_apart(name: str, runs: int, seed: int, memory_bytes: int, printed: str) -> None:
    """As `run`, in a process of its own: with so much address space, and what it prints in the file `printed`."""
    with Path(printed).open("ab") as to:
        for fd in (1, 2):
            os.dup2(to.fileno(), fd)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    run(name, runs, seed)


def fork(line: str) -> int:
    """Takes the inputs that `line` asks for in a process of its own; its exit status, negative for a signal."""
    name, runs, seed, memory_bytes, printed = line.rstrip("\n").split(" ", 4)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run_apart(name, int(runs), int(seed), int(memory_bytes), printed)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(name: str, runs: int, seed: int) -> None:
    """The target's inputs, then random changes of them. What it fails on is raised, the input kept."""
    target = TARGETS[name]
    rng, seeds, take = Random(f"{name} {seed}"), target.seeds(), target.prepare()
    changed = (target.mutate(rng, rng.choice(seeds), seeds, target.most_bytes) for _ in count())
    signal.signal(signal.SIGPROF, _hangs)
    signal.signal(signal.SIGALRM, _hangs)
    for data in islice(chain([*seeds, b""], changed), runs):
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, WAITING_S)
        try:
            take(data)
        except BaseException:
            (BUILD / f"{name}-plain").write_bytes(data)
            raise
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)


def _hangs(number: int, frame: object) -> None:
    raise AssertionError(f"an input takes more than {SECONDS} s of processor time, or {WAITING_S} s")


if __name__ == "__main__":
    for line in sys.stdin:
        print(fork(line), flush=True)
