# SPDX-License-Identifier: EUPL-1.2
"""The frozen program beside the same program run from source: how soon each shows its unlocked window, in turn."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import filling, window
from tests.bench.office import HANDLER, ROOT, copy_of, environment, serving
from tests.bench.registry import Figure, bench, median
from tests.bench.window import STARTS, build

FROZEN = ROOT / "build/packaging/frozen/kansli/kansli"
PATIENCE_S = 60


@bench("frozen_start_ratio")
def frozen_start() -> list[Figure]:
    """Warm; both are read off the log that every start writes, which has milliseconds."""
    if not FROZEN.exists():
        raise SystemExit("nothing is frozen: make packages")
    commands = {"frozen": [str(FROZEN)], "source": [sys.executable, "-m", "ui"]}
    took: dict[str, list[float]] = {name: [] for name in commands}
    with copy_of("ten-rooms", build, [Path(filling.__file__), Path(window.__file__)]) as folder, serving(folder):
        for _ in range(STARTS + 1):
            for name, command in commands.items():
                took[name].append(_start_ms(folder, command))
    frozen, source = (median(took[name][1:]) for name in ("frozen", "source"))
    note = f"process start to the shown window: frozen {frozen:.0f} ms, from source {source:.0f} ms"
    return [Figure(name="frozen_start_ratio", value=frozen / source, unit="", n=STARTS, note=note)]


def _start_ms(folder: Path, command: list[str]) -> float:
    file = next((folder / HANDLER / "profiles").iterdir()) / "logs/kansli.log"
    seen = len(_shown(file))
    began = datetime.now(UTC)
    process = subprocess.Popen(command, env={**environment(folder, HANDLER), "TZ": "UTC"}, cwd=ROOT)
    try:
        end = time.monotonic() + PATIENCE_S
        while len(found := _shown(file)) <= seen:
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit(f"{command[0]} showed no window")
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait(30)
    return (found[-1] - began).total_seconds() * 1000


def _shown(file: Path) -> list[datetime]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    shown = [line[:23] for line in lines if line.endswith("window-shown")]
    return [datetime.strptime(f"{when} +0000", "%Y-%m-%d %H:%M:%S,%f %z") for when in shown]
