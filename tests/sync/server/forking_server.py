# SPDX-License-Identifier: EUPL-1.2
"""Run by test_process.py: serves a data folder again and again, each time in a process of its own.

`DATA`: for each line on stdin a server is forked, since to import the program takes longer than to start it. It says
its process id, then its ready line, and at its end `end STATUS`.
"""

import os
import sys

import sync.server.process.serving  # noqa: F401 - imported once, and not by each server
from sync.server.__main__ import main


def say(line: str) -> None:
    """Writes `line` to stdout in one write, so that a kill tears none."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def serve(data: str) -> int:
    """Forks a server and waits for its end; its exit status."""
    child = os.fork()
    if child == 0:
        say(str(os.getpid()))
        os._exit(main(["--log", "ERROR", "serve", "--data", data, "--port", "0"]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for _ in sys.stdin:
        say(f"end {serve(sys.argv[1])}")
