# SPDX-License-Identifier: EUPL-1.2
"""Screenshots of every view: `python -m tests.shots`, into build/shots/<look>/<view>.png. A tool, not a test.

A real server and three real sessions in this process; nothing leaves the machine.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# Before the first import of Qt or keyring.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_SCALE_FACTOR"] = "1"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["TZ"] = "Europe/Stockholm"
time.tzset()

from PySide6.QtWidgets import QApplication  # noqa: E402

from tests.shots.camera import Camera  # noqa: E402
from tests.shots.rounds import LOOKS, walk  # noqa: E402
from tests.shots.views import OFFLINE, STOPPED, VIEWS  # noqa: E402
from ui.kit import theme  # noqa: E402
from ui.kit.translate import change_language  # noqa: E402

OUT = Path("build/shots")


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    parser.add_argument("--looks", default=",".join(LOOKS), help="which of " + ", ".join(LOOKS))
    parser.add_argument(
        "--views", default=",".join((*VIEWS, *STOPPED, *OFFLINE)), help="which of the views; default: all"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    looks = {name: LOOKS[name] for name in arguments.looks.split(",")}
    views = arguments.views.split(",")
    if arguments.out == OUT:
        shutil.rmtree(OUT, ignore_errors=True)
    application = QApplication(["kansli"])
    change_language("sv")
    theme.apply(application, "light")
    camera = Camera(arguments.out)
    try:
        asyncio.run(walk(camera.take, looks, views))
    finally:
        camera.close()
    print(f"{len(camera.taken)} pictures in {arguments.out}/, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
