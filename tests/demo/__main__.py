# SPDX-License-Identifier: EUPL-1.2
"""The main job, from outside: `python -m tests.demo`. Prints each step with its time; pictures in build/demo/.

The last line is `demo: N passed, M failed`; the exit status is 0 only if M is 0.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.demo.stage import Stage
from tests.demo.steps import LABELS, Steps

OUT = Path("build/demo")
# Later steps build on earlier ones: after so many failures in a row the rest can only wait for what never comes.
GIVE_UP = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    parser.add_argument("--stop-after", default="", help="name of the last step to do")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where pictures go ({OUT})")
    arguments = parser.parse_args()
    stage = Stage(arguments.out, LABELS)
    steps = Steps(stage)
    todo = steps.all()
    passed = failed = in_a_row = 0
    began = time.monotonic()
    try:
        for number, step in enumerate(todo, 1):
            words = " ".join((step.__doc__ or step.__name__).split())
            if in_a_row >= GIVE_UP:
                print(f"{number:3}  not tried  {words}", flush=True)
                failed += 1
                continue
            start = time.monotonic()
            try:
                step()
            except Exception as fault:
                failed, in_a_row = failed + 1, in_a_row + 1
                print(f"{number:3}  FAILED after {time.monotonic() - start:.2f} s  {words}", flush=True)
                print(f"     {str(fault).splitlines()[0]}", flush=True)
                _keep_evidence(stage, number, fault)
            else:
                passed, in_a_row = passed + 1, 0
                print(f"{number:3}  {time.monotonic() - start:6.2f} s  {words}", flush=True)
            if step.__name__ == arguments.stop_after:
                break
    finally:
        stage.close()
    for client in stage.clients.values():
        if client.not_reached:
            print(f"     not reached by Tab in {client.label}: {', '.join(dict.fromkeys(client.not_reached))}")
    print(f"     {time.monotonic() - began:.1f} s; pictures in {arguments.out}/")
    print(f"demo: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def _keep_evidence(stage: Stage, number: int, fault: Exception) -> None:
    """What was wrong, and what every window showed: failed-N.txt and a picture of each client that runs."""
    report = stage.out / f"failed-{number}.txt"
    report.write_text(f"{fault}\n", encoding="utf-8")
    for label, client in stage.clients.items():
        if not client.running:
            continue
        try:
            client.shot(stage.out / f"failed-{number}-{label}.png")
        except Exception as second:
            print(f"     no picture of {label}: {str(second).splitlines()[0]}")
    print(f"     more in {report}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
