# SPDX-License-Identifier: EUPL-1.2
"""On a real screen with a window manager, a notification takes no key from the person who writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.screen_reader import desktop, needs_screen_reader

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@needs_screen_reader
def test_a_person_who_writes_goes_on_writing_when_a_notification_appears() -> None:
    with desktop() as env:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.ui.shell.notified_screen"]
        program = subprocess.Popen(
            command, env=env, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
        )
        assert program.stdin is not None
        assert program.stdout is not None

        def ask(line: str) -> str:
            program.stdin.write(f"{line}\n")  # type: ignore[union-attr]
            return program.stdout.readline().strip()  # type: ignore[union-attr]

        def write(text: str) -> None:
            subprocess.run(["xdotool", "type", "--delay", "1", text], env=env, check=True, timeout=PATIENCE_S)

        try:
            assert program.stdout.readline().strip() == "ready"
            write("fore")
            assert ask("written 4") == "fore"
            assert ask("notify rum") == "shown 12 12"
            write("efter")
            assert ask("written 9") == "foreefter"
            program.stdin.write("quit\n")
            assert program.wait(PATIENCE_S) == 0
        finally:
            program.kill()
            program.wait(PATIENCE_S)
            program.stdin.close()
            program.stdout.close()
