# SPDX-License-Identifier: EUPL-1.2
"""Runs the benches, each in a process of its own, and writes build/bench.json."""

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import tests.bench
from tests.bench.machine import machine
from tests.bench.registry import BENCHES, Bench

OUT = Path("build/bench.json")
LIMIT_S = 900


def find_benches() -> None:
    """Imports every module beside this one: a bench registers itself."""
    for module in pkgutil.iter_modules(tests.bench.__path__):
        if module.name not in (
            "__main__",
            "hostile_run",
            "stations",
            "traced",
            "window_desk",
            "window_run",
            "window_work",
            "xmpp",
        ):
            importlib.import_module(f"tests.bench.{module.name}")


def run_apart(bench: Bench) -> tuple[dict[str, object], str]:
    """Figures of one bench from a fresh process, or why there are none."""
    command = [sys.executable, "-m", "tests.bench", "--here", bench.names[0]]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return {}, f"no answer in {LIMIT_S} s"
    if answer.returncode:
        return {}, answer.stderr.strip()
    figures: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return figures, ""


def run_here(name: str) -> None:
    [bench] = [bench for bench in BENCHES if name in bench.names]
    figures = {}
    for figure in bench.run():
        entry = asdict(figure)
        figures[entry.pop("name")] = entry
    print(json.dumps(figures))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", help="names of figures, with commas between")
    parser.add_argument("--peers", action="store_true", help="also what needs another server beside ours")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    find_benches()
    if arguments.here:
        run_here(arguments.here)
        return 0
    wanted = {name for name in arguments.only.split(",") if name}
    if unknown := wanted - {name for bench in BENCHES for name in bench.names}:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    # Figures that were not asked for are kept from the run before.
    earlier = json.loads(OUT.read_text(encoding="utf-8"))["figures"] if wanted and OUT.exists() else {}
    report: dict[str, dict[str, object]] = {"machine": machine(), "figures": earlier}
    failed = 0
    for bench in BENCHES:
        if (wanted and not wanted & set(bench.names)) or (bench.peers and not (arguments.peers or wanted)):
            continue
        figures, why = run_apart(bench)
        failed += not figures
        report["figures"].update(figures)
        for name, figure in figures.items():
            assert isinstance(figure, dict)
            print(
                f"{name:32} {figure['value']:>12.3f} {figure['unit']:6} n={figure['n']}  {figure['note']}", flush=True
            )
        if why:
            print(f"{', '.join(bench.names)}: FAILED\n{why}", flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
