# SPDX-License-Identifier: EUPL-1.2
"""docs/OPERATOR.md is followed from its first line to its last under a real systemd, with sudo, units and port 443."""

from pathlib import Path

import pytest
from roots import NEWEST, OLDEST

from tests.packages.agency import DEB, agency
from tests.packages.built import LATER, later, package
from tests.packages.guides import OPERATOR, blocks
from tests.packages.test_booted import needs_root
from tests.packages.test_operators_guide import Story

pytestmark = [pytest.mark.packages, pytest.mark.slow]
KINDS = ("server", "systemd")
JOURNAL = "journalctl --unit kansli-server --output cat"


@needs_root
@pytest.mark.parametrize("suite", [OLDEST, NEWEST])
async def test_every_command_of_the_guide_does_what_it_says(suite: str, built: Path, tmp_path: Path) -> None:
    first = package(built, DEB)
    offered = iter([first, first, later(first, tmp_path)])  # the second on another machine
    with agency(suite, built) as system, system.network():
        story = Story(system)
        for block in blocks(OPERATOR):
            if block.language == "toml":
                system.configure(block.text)
            for line in block.commands if block.kind in KINDS else ():
                if line.startswith("apt install"):
                    system.offer(next(offered))
                if line.startswith("apt purge"):
                    await _ends_well(story)
                await story.run(line)
                if line.startswith("systemctl mask"):
                    assert "ERROR" not in await story.machine.run(JOURNAL)
        await story.end()
        assert next(offered, None) is None, "the guide moves to another machine, and upgrades there"
        assert not system.path("/var/lib/kansli").exists(), "the guide's last command is the purge"


async def _ends_well(story: Story) -> None:
    """What is true when everything but the removal was done."""
    run = story.machine.run
    assert LATER in await run("dpkg-query --show kansli-server")
    assert "plain HTTP for a proxy on" in await run("sudo -u kansli-server kansli-server serve --check")
    assert "www-data" in await run("getent group kansli-server")
    await run("test -S /run/kansli/server.sock")
    journal = await run(JOURNAL)
    assert "certificate read again" in journal
    assert "ERROR" not in journal
    assert await run("systemctl --failed --plain --no-legend") == ""
