# SPDX-License-Identifier: EUPL-1.2
"""The server's deb under a real systemd: start, hardening, socket, backups, upgrade, downgrade, purge, and again."""

import json
import os
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from roots import NEWEST, OLDEST, Root

from tests.packages.agency import DEB, Agency, agency
from tests.packages.booted import PROGRAMS, Booted
from tests.packages.built import LATER, later, package
from tests.packages.guides import OPERATOR, blocks

pytestmark = [pytest.mark.packages, pytest.mark.slow]
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
needs_root = pytest.mark.skipif(
    bool(MISSING) or os.geteuid() != 0, reason=f"a system is booted by root, with {', '.join(PROGRAMS)}"
)
EXPOSED_AT_MOST = 1.4
"""What `systemd-analyze security` counted when the units were made: lower is better."""


@pytest.fixture(params=[OLDEST, NEWEST])
def system(request: pytest.FixtureRequest, built: Path) -> Iterator[Agency]:
    """A booted Debian, nothing of Kansli's installed."""
    with agency(str(request.param), built) as made:
        yield made


@pytest.fixture
def served(system: Agency) -> Agency:
    """One with a server that serves."""
    system.found()
    return system


@needs_root
def test_what_refuses_to_be_booted_is_said_in_the_machines_own_words(tmp_path: Path) -> None:
    made = Booted(Root(tmp_path / "not-there"))
    assert "not-there" in made.why_not() or "overlay" in made.why_not()
    made.off()


@needs_root
def test_the_server_starts_hardened_and_stays_within_what_it_may(served: Agency) -> None:
    assert "ready" in served.ready()
    assert served.shows("kansli-server", "ActiveState") == "active"
    assert served.shows("kansli-server", "NRestarts") == "0"
    for unit in ("kansli-server", "kansli-server-backup"):
        said = served.do(f"systemd-analyze --no-pager security {unit}", check=False)
        (exposed,) = re.findall(r"exposure level for \S+: ([\d.]+)", said)
        assert float(exposed) <= EXPOSED_AT_MOST, said
    assert served.do("systemctl --failed --plain --no-legend") == ""


@needs_root
def test_the_backup_that_was_missed_is_made_when_the_timer_starts_again(served: Agency) -> None:
    assert served.shows("kansli-server-backup.timer", "NextElapseUSecRealtime")
    folder = served.path("/etc/systemd/system/kansli-server-backup.timer.d")
    folder.mkdir()
    (folder / "now.conf").write_text("[Timer]\nRandomizedDelaySec=0\n", encoding="ascii")
    served.do("systemctl daemon-reload; systemctl stop kansli-server-backup.timer")
    served.do("touch --date '2 days ago' /var/lib/systemd/timers/stamp-kansli-server-backup.timer")
    served.do("systemctl start kansli-server-backup.timer")
    served.do("while systemctl show -p ActiveState,InactiveEnterTimestamp kansli-server-backup |"
              " grep -qE '=activating$|Timestamp=$'; do sleep 0.1; done")  # fmt: skip
    assert served.shows("kansli-server-backup", "Result") == "success"
    said = served.do("sudo -u kansli-server kansli-server verify --data /var/backups/kansli")
    assert json.loads(said)["problems"] == 0


@needs_root
def test_with_the_socket_unit_by_the_guide_a_restart_refuses_nobody(served: Agency) -> None:
    here, back, *_moves = [b for b in blocks(OPERATOR) if "kansli-server.socket" in b.text]
    for command in here.commands:
        served.do(command)
    assert "ready" in served.ready()
    served.do("systemctl stop kansli-server.service")
    trust = ssl.create_default_context(cafile=str(served.home / "ca.pem"))
    with served.network(), socket.create_connection(("127.0.0.1", served.port), 60) as waits:
        trust.wrap_socket(waits, server_hostname="localhost").close()  # answered by the server that systemd starts
    assert "ready" in served.ready()
    for command in back.commands:
        served.do(command)
    assert "ready" in served.ready()
    assert served.shows("kansli-server.socket", "ActiveState") == "inactive"


@needs_root
def test_an_upgrade_starts_the_server_again_and_a_downgrade_is_refused(
    served: Agency, built: Path, tmp_path: Path
) -> None:
    before = served.shows("kansli-server", "MainPID")
    old = package(built, DEB)
    served.do("echo '# ours' >>/etc/kansli/server.toml")
    served.offer(later(old, tmp_path))
    served.do("apt install ./kansli-server_*_amd64.deb")
    assert served.shows("kansli-server", "MainPID") not in (before, "0")
    assert "ready" in served.ready()
    assert served.path("/etc/kansli/server.toml").read_text().endswith("# ours\n")
    served.offer(old)
    said = served.do("apt install ./kansli-server_*_amd64.deb", check=False)
    assert "--allow-downgrades" in said
    assert LATER in served.do("dpkg-query --show kansli-server")
    assert "ready" in served.ready()


@needs_root
def test_after_a_purge_what_stays_is_roots_and_the_package_can_be_installed_again(served: Agency) -> None:
    served.do("usermod --append --groups kansli-server www-data")
    served.do("systemctl start kansli-server-backup")
    served.do("apt purge kansli-server")
    assert served.do("getent passwd kansli-server; getent group kansli-server", check=False) == ""
    assert not served.path("/var/lib/kansli").exists()
    nobodys = served.do("find / -xdev -nouser -o -xdev -nogroup").split()
    assert {path for path in nobodys if not path.startswith("/safe")} == set()
    assert served.do("stat -c %U:%G:%a /etc/kansli/tls.key").strip() == "root:root:640"
    assert served.do("find /var/backups/kansli ! -user root -o ! -group root") == ""
    served.do("rm -r /safe; ! systemctl cat kansli-server 2>/dev/null")

    served.found()
    assert "ready" in served.ready()
    assert served.do("find /var/backups/kansli ! -user kansli-server") == ""


@needs_root
def test_the_package_installs_where_the_group_or_the_user_is_there_already(system: Agency) -> None:
    system.do("groupadd kansli-server; usermod --append --groups kansli-server www-data")
    system.do("apt install ./kansli-server_*_amd64.deb")
    assert system.do("id -gn kansli-server").strip() == "kansli-server"
    system.do("apt purge kansli-server")
    system.do("useradd --system --gid nogroup kansli-server; apt install ./kansli-server_*_amd64.deb")
    assert system.do("stat -c %U:%G /var/lib/kansli").strip() == "kansli-server:kansli-server"
