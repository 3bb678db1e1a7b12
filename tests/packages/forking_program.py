# SPDX-License-Identifier: EUPL-1.2
"""The program `kansli-server` of a machine of scripts (machine.py), imported once: run as `SOCKET CONFIG`, it listens
at the socket and forks a process for each command. `CONFIG` is the configuration file that the commands read.

A command comes as one message: JSON of [arguments, folder, environment], with standard input, output and error. The
answer is its exit status, one byte. `COMMAND` is the other end: a Python program that imports next to nothing.
"""

import json
import os
import socket
import sys
from pathlib import Path

from sync.server.__main__ import main
from sync.server.operator import config_file

COMMAND = """
import json, os, socket, sys
to = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
to.connect(sys.argv[1])
asked = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(to, [asked], [0, 1, 2])
status = to.recv(1)
sys.exit(status[0] if status else "the command was killed")
"""
MOST_BYTES = 1 << 20


def listen(path: str) -> None:
    """Runs commands until it is killed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen()
        print("ready", flush=True)
        while True:
            asking, _ = listening.accept()
            with asking:
                content, given, _, _ = socket.recv_fds(asking, MOST_BYTES, 3)
                if os.fork() == 0:
                    _run(asking, content, given)
            for fd in given:
                os.close(fd)
            _bury()


def _run(asking: socket.socket, content: bytes, given: list[int]) -> None:
    status = 1
    try:
        arguments, folder, environment = json.loads(content)
        for fd, at in enumerate(given):
            os.dup2(at, fd)
            os.close(at)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[:] = ["kansli-server", *arguments]
        status = main(arguments)
    except SystemExit as e:  # argparse
        status = e.code if isinstance(e.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asking.send(bytes([status]))
        os._exit(status)


def _bury() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    config_file.DEFAULT_FILE = Path(sys.argv[2])
    listen(sys.argv[1])
