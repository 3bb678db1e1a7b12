# SPDX-License-Identifier: EUPL-1.2
"""`make fuzz`: every decoder on hostile bytes, coverage-guided by atheris, or (--plain) on random changes alone.

Each target runs in a process of its own with 2 GiB of address space, as many at once as there are cores. An input may
take five seconds, and no exception but the target's own refusals; anything else ends the target's run with the input in
build/fuzz/. Beside them the state machines of tests/sync/byzantine live on: one life for every two thousand inputs.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.machines import MACHINES, Machine, lives
from tests.fuzz.target import BUILD, MAX_BYTES, SECONDS
from tests.sync.byzantine.budget import LIVES

MEMORY_BYTES = 2 << 30
_own = threading.local()
"""`forking`: the process that forks the targets of --plain for one of the threads (tests/fuzz/plain.py)."""


def main() -> int:
    args = _arguments()
    if args.child:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        return guided(args.only, args.runs, args.seed)
    from tests.fuzz.targets import TARGETS

    names = args.only.split(",") if args.only else [*TARGETS, *MACHINES]
    if unknown := set(names) - TARGETS.keys() - MACHINES.keys():
        known = ", ".join([*TARGETS, *MACHINES])
        print(f"no such target: {', '.join(sorted(unknown))}; there are {known}", file=sys.stderr)
        return 2
    machines = [MACHINES[name] for name in names if name in MACHINES and lives(args.runs)]
    # the slow ones first, so that none of them is left alone at the end
    names = sorted((name for name in names if name in TARGETS), key=lambda name: TARGETS[name].share)
    BUILD.mkdir(parents=True, exist_ok=True)
    os.environ["RUST_BACKTRACE"] = "0"  # pycrdt's panics are refused; a trace of each takes milliseconds
    began = time.monotonic()
    shares = sum(TARGETS[name].share for name in names)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as cores:
        asked = [cores.submit(_apart, args, name, -(-args.runs * TARGETS[name].share // shares)) for name in names]
        lived = [cores.submit(_live, args, machine, lives(args.runs)) for machine in machines]
        done = [target.result() for target in as_completed(asked)]
    _say("all", sum(done), time.monotonic() - began)
    return 0 if all(done) and all(machine.result() for machine in lived) else 1


def _live(args: argparse.Namespace, machine: Machine, count: int) -> bool:
    """Runs one state machine in a process of its own; False if something that must hold did not."""
    start = time.monotonic()
    command = [sys.executable, "-m", "pytest", *machine.command(args.seed)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {LIVES: str(count)})
    if answer.returncode:
        (BUILD / f"{machine.name}.log").write_text(answer.stdout)
        print(answer.stdout[-6000:], f"{machine.name}: FAILED; all of it is in {BUILD}/", sep="\n", file=sys.stderr)
        return False
    took = time.monotonic() - start
    print(f"{machine.name:16} {count:>9} lives   {took:>7.1f} s  {count / took:>8.1f}/s", flush=True)
    return True


def _apart(args: argparse.Namespace, name: str, runs: int) -> int:
    """Runs one target in a process of its own; gives how many inputs it took, 0 if it failed."""
    start = time.monotonic()
    status, printed = (_plainly if args.plain else _guidedly)(name, runs, args.seed)
    if status:
        print(printed[-8000:], file=sys.stderr)
        print(f"{name}: FAILED ({status}); the input is in {BUILD}/", file=sys.stderr)
        return 0
    _say(name, runs, time.monotonic() - start)
    return runs


def _guidedly(name: str, runs: int, seed: int) -> tuple[int, str]:
    command = [sys.executable, "-m", "tests.fuzz", "--child", "--only", name, "--runs", str(runs), "--seed", str(seed)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return answer.returncode, answer.stdout


def _plainly(name: str, runs: int, seed: int) -> tuple[int, str]:
    if not hasattr(_own, "forking"):
        command = [sys.executable, "-m", "tests.fuzz.plain"]
        _own.forking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    forking: subprocess.Popen[str] = _own.forking
    assert forking.stdin is not None
    assert forking.stdout is not None
    with tempfile.NamedTemporaryFile(suffix=".log") as printed:
        forking.stdin.write(f"{name} {runs} {seed} {MEMORY_BYTES} {printed.name}\n")
        forking.stdin.flush()
        return int(forking.stdout.readline()), Path(printed.name).read_text(errors="replace")


def _say(name: str, runs: int, took_s: float) -> None:
    print(f"{name:16} {runs:>9} inputs  {took_s:>7.1f} s  {runs / took_s:>8.0f}/s", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs, shared by the targets")
    parser.add_argument("--only", default="", help="targets or machines, with commas; a name that is none lists them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without atheris: random changes, no guidance")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def guided(name: str, runs: int, seed: int) -> int:
    """The same, but atheris chooses by the branches that an input takes; it ends the process."""
    import atheris

    engine: Any = atheris  # no type information is published
    with engine.instrument_imports(include=["sync", "app"]):  # before anything else loads them
        from tests.fuzz.targets import TARGETS

        run = TARGETS[name].prepare()
    target, corpus = TARGETS[name], BUILD / "corpus" / name
    seeds = target.seeds()
    corpus.mkdir(parents=True, exist_ok=True)
    for i, data in enumerate(seeds):
        (corpus / f"seed-{i}").write_bytes(data)

    def changed(data: bytes, most: int, number: int) -> bytes:
        if number % 2 and target.most_bytes == MAX_BYTES:  # a long history's bytes changed at random are no history
            return bytes(engine.Mutate(data, most))
        return target.mutate(Random(number), data or seeds[0], seeds, most)

    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-timeout={SECONDS}",
        f"-max_len={target.most_bytes}",
        "-rss_limit_mb=1536",
    ]
    options += [f"-artifact_prefix={BUILD}/{name}-", "-verbosity=1"]
    engine.Setup([sys.argv[0], *options, str(corpus)], run, custom_mutator=changed)
    engine.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
