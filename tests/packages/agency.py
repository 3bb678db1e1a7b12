# SPDX-License-Identifier: EUPL-1.2
"""A booted Debian with what an operator has before the first line of the guide: packages, a TLS certificate, a sudo."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from places import WORK
from roots import Root

from sync.server.config import Config
from tests.packages.booted import Booted
from tests.packages.built import offer, package
from tests.packages.machine import certify, configure

PACKAGES = ("systemd", "sudo", "curl", "passwd", "zlib1g")
"""What the guide's commands and the server's package need: a booted system has no network to get more."""
FILE = "/etc/kansli/server.toml"
_SQL = """
import os, sqlite3, sys
os.chroot(sys.argv[1])  # SQLite follows links in a path by itself, and /proc/…/root is one
connection = sqlite3.connect(sys.argv[2])
connection.execute(sys.argv[3], [int(value) for value in sys.argv[4:]])
connection.commit()
connection.close()
"""
DEB = "kansli-server_*_amd64.deb"


class Agency(Booted):
    """Its packages lie in root's home folder, where commands are typed."""

    def sql(self, statement: str, *values: int) -> None:
        """See `machine.Operated.sql`."""
        database = Config(data=Path("/var/lib/kansli/server")).database
        subprocess.run([sys.executable, "-c", _SQL, self.path("/"), database, statement, *map(str, values)], check=True)

    def put(self, name: str, content: bytes) -> None:
        """See `machine.Operated.put`."""
        (self.path("/root") / name).write_bytes(content)

    def replace(self) -> None:
        """See `machine.Operated.replace`. Its next users get other numbers than they had on the old one."""
        self.boot_another(("root", "safe", "escrow", "media", "etc/apt"))
        self.do("useradd --system monitor")

    def offer(self, deb: Path) -> None:
        """Copies a package into root's home folder and removes the other debs there."""
        offer(deb, self.path("/root"))

    def configure(self, toml: str) -> None:
        """See `machine.configure`."""
        configure(self.path(FILE), toml)

    def found(self) -> None:
        """Installs the package that is offered, founds an agency and starts the server on port 443."""
        self.do(f"apt install ./{DEB}")
        self.do("install -o root -g kansli-server -m 0770 -d /safe")
        self.do("sudo -u kansli-server kansli-server init --keys /safe")
        self.configure(
            'host = "0.0.0.0"\nport = 443\ncert = "/etc/kansli/tls.pem"\nkey = "/etc/kansli/tls.key"\n'
            'metrics = "127.0.0.1:9464"\n'
        )
        self.trust()
        self.do("systemctl enable --now kansli-server kansli-server-backup.timer")

    def trust(self) -> None:
        """Gives the server its TLS certificate, as the guide does."""
        for name in ("tls.pem", "tls.key"):
            self.do(f"install -o root -g kansli-server -m 0640 {name} /etc/kansli/{name}")

    def ready(self) -> str:
        """What the monitor says of a server that serves."""
        return self.do("curl --silent --show-error --fail http://127.0.0.1:9464/readyz")

    def shows(self, unit: str, what: str) -> str:
        """A property of a unit."""
        return self.do(f"systemctl show --value --property {what} {unit}").strip()


@contextmanager
def agency(suite: str, built: Path) -> Iterator[Agency]:
    """A booted system of that Debian. Skips the test where none can be booted."""
    root = Root.make(WORK / f"root-{suite}-systemd", suite, PACKAGES)
    made = Agency(root)
    try:
        refused = made.why_not()
        if refused:
            pytest.skip(f"no system can be booted here: {refused}")
        made.boot()
        made.path("/etc/apt/apt.conf.d/90yes").write_text('APT::Get::Assume-Yes "true";\n', encoding="ascii")
        certify(made)
        made.offer(package(built, DEB))
        yield made
    finally:
        made.off()
