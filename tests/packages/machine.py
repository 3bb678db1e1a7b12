# SPDX-License-Identifier: EUPL-1.2
"""A machine as the operator's guide means it, in one folder: its paths lie below that folder, its ports are free ones,
and programs that only root or systemd have are played by small scripts. The server itself is the real one."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Protocol

from sync.crypto.tls import make_ca, make_server_cert
from sync.server.config import Config
from tests.packages.forking_program import COMMAND

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "packaging" / "server"
PLACES = ("/etc/kansli", "/var/lib/kansli", "/var/backups/kansli", "/run/kansli", "/safe", "/escrow", "/media/usb")
"""What the guide names; /safe and /escrow are sticks that secret keys are taken away on, /media/usb a disk."""
_OURS = ("etc", "var", "run")
"""What a machine does not share with the one that replaces it."""

_PROGRAM = """
import sys
from pathlib import Path
from sync.server.operator import config_file
config_file.DEFAULT_FILE = Path("{etc}/server.toml")
from sync.server.__main__ import main
sys.argv[0] = "kansli-server"
sys.exit(main(sys.argv[1:]))
"""
_SCRIPTS = {
    "kansli-server": """
case "$*" in
    serve | "serve "*) PYTHONPATH={root} exec {python} {home}/program.py "$@" ;;
    *) exec {python} -ISE {home}/command.py {home}/program "$@" ;;
esac
""",
    "sudo": '[ "$1" = -u ] && [ "$2" = kansli-server ] || exit 9; shift 2; exec "$@"',
    "install": """
case "$1 $2 $3 $4" in
    "-o root -g kansli-server" | "-o kansli-server -g kansli-server") shift 4 ;;
    -o*) exit 9 ;;
esac
exec /usr/bin/install "$@"
""",
    "chown": '[ "$1" = -R ] && [ "${{2#*:}}" = kansli-server ] && [ -d "$3" ]',
    "apt": '[ "$1" = install ] && [ -n "$2" ]',
    "dnf": '[ "$1" = install ] && [ -n "$2" ]',
    "curl": 'exec {python} -c "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())" "$@"',
    "journalctl": '[ "$*" = "-u kansli-server" ] && cat {home}/journal',
    "systemctl": """
start() {{
    [ ! -e {home}/masked ] || return 1
    : >{home}/ready
    {serve} >{home}/ready 2>>{home}/journal </dev/null &
    echo $! >{home}/pid
    for _ in $(seq 400); do grep -q ready {home}/ready && return 0; sleep 0.05; done
    return 1
}}
stop() {{ kill "$(cat {home}/pid)"; while kill -0 "$(cat {home}/pid)" 2>/dev/null; do sleep 0.05; done; }}
case "$*" in
    "enable --now kansli-server kansli-server-backup.timer" | "start kansli-server") start ;;
    "stop kansli-server" | "disable --now kansli-server.socket kansli-server kansli-server-backup.timer") stop ;;
    "mask kansli-server kansli-server.socket") touch {home}/masked ;;
    "restart kansli-server") stop; start ;;
    "reload kansli-server") kill -HUP "$(cat {home}/pid)" ;;
    "status kansli-server") kill -0 "$(cat {home}/pid)" ;;
    "start kansli-server-backup") {backup} ;;
    *) echo "systemctl $*: not known here" >&2; exit 9 ;;
esac
""",
}


class Operated(Protocol):
    """A machine that an operator's guide can be followed on."""

    home: Path
    """Has ca.pem, which is the clients'."""
    port: int
    """Where the server is reached on loopback, before it is behind a proxy."""

    def put(self, name: str, content: bytes) -> None:
        """A file in the folder where commands are typed."""

    def sql(self, statement: str, *values: int) -> None:
        """Changes the server's database, also while it runs."""

    def replace(self) -> None:
        """Another machine in its place, that has the same sticks and disks and nothing else of the old one."""

    async def run(self, command: str) -> str:
        """What a line of the guide prints; AssertionError if it fails."""


def certify(machine: Operated) -> None:
    """Gives it tls.pem and tls.key for loopback and for the guide's name of the server, and clients the CA."""
    ca = make_ca("Myndighetens CA")
    leaf = make_server_cert(ca, ["localhost", "127.0.0.1", "kansli.example.se"])
    (machine.home / "ca.pem").write_bytes(ca.cert)
    machine.put("tls.pem", leaf.cert)
    machine.put("tls.key", leaf.key)


def configure(file: Path, toml: str) -> None:
    """Gives the keys of a block their values in a configuration file like the sample, as somebody who edits it."""
    text = file.read_text(encoding="utf-8")
    for line in toml.splitlines():
        key = line.partition(" = ")[0]
        before, *more = re.split(rf"^#?{key} = .*$", text, flags=re.MULTILINE)
        assert len(more) == 1, f"the sample has no {key}"
        text = f"{before}{line}{more[0]}"
    file.write_text(text, encoding="utf-8")


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Machine:
    """`home` is its folder, short enough for the path of a socket."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.monitor = free_port(), free_port()
        self._install()
        (home / "bin").mkdir()
        (home / "program.py").write_text(_PROGRAM.format(etc=self.file.parent), encoding="utf-8")
        (home / "command.py").write_text(COMMAND, encoding="utf-8")
        self._program = self._imported()
        known = {"root": ROOT, "python": sys.executable, "home": home}
        known |= {"serve": self._starts("kansli-server"), "backup": self._starts("kansli-server-backup")}
        for name, script in _SCRIPTS.items():
            path = home / "bin" / name
            path.write_text("#!/bin/bash\n" + script.format(**known), encoding="utf-8")
            path.chmod(0o755)

    def _install(self) -> None:
        """The folders and the sample as the package brings them."""
        for place in PLACES:
            (self.home / place[1:]).mkdir(parents=True, exist_ok=True)
        sample = (SERVER / "server.toml").read_text(encoding="utf-8")
        self.file.write_text(self.here(sample), encoding="utf-8")

    def _imported(self) -> "subprocess.Popen[bytes]":
        """The program, which takes as long to import as to do what a line of the guide says: each line forks it."""
        command = [sys.executable, "-m", "tests.packages.forking_program", str(self.home / "program"), str(self.file)]
        started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert started.stdout is not None
        assert started.stdout.readline() == b"ready\n"
        return started

    def put(self, name: str, content: bytes) -> None:
        """See `Operated.put`."""
        (self.home / name).write_bytes(content)

    def replace(self) -> None:
        """See `Operated.replace`."""
        for name in (*_OURS, "masked"):
            (self.home / name).rename(self.home / f"old {name}")
        self._install()

    @property
    def file(self) -> Path:
        """The operator's file."""
        return self.home / "etc/kansli/server.toml"

    @property
    def data(self) -> Path:
        return self.home / "var/lib/kansli/server"

    def here(self, text: str) -> str:
        """What the guide says, said of this machine."""
        for place in PLACES:
            text = re.sub(rf"(?<![\w.]){place}\b", f"{self.home}{place}", text)
        return text.replace("127.0.0.1:9464", f"127.0.0.1:{self.monitor}").replace("port = 443", f"port = {self.port}")

    def _starts(self, service: str) -> str:
        unit = (SERVER / f"{service}.service").read_text(encoding="utf-8")
        lines = re.findall(r"^ExecStart=/usr/bin/(.*)$", unit, re.MULTILINE)
        return self.here(" && ".join(lines))

    def sql(self, statement: str, *values: int) -> None:
        """See `Operated.sql`."""
        with contextlib.closing(sqlite3.connect(Config(data=self.data).database)) as connection, connection:
            connection.execute(statement, values)

    def configure(self, toml: str) -> None:
        """See `configure`."""
        configure(self.file, self.here(toml))

    async def run(self, command: str) -> str:
        """What a line of the guide prints; AssertionError if it fails."""
        process = await asyncio.create_subprocess_exec(
            "bash", "-ec", self.here(command), stdout=PIPE, stderr=PIPE, cwd=self.home,
            env={**os.environ, "PATH": f"{self.home}/bin:{os.environ['PATH']}"},
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, f"{command}: {process.returncode}\n{out.decode()}{err.decode()}"
        return out.decode()

    def off(self) -> None:
        """Ends the program, and the server if it runs."""
        self._program.kill()
        self._program.communicate()
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.home / "pid").read_text()), signal.SIGKILL)
