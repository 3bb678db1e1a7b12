# SPDX-License-Identifier: EUPL-1.2
"""docs/OPERATOR.md is followed from its first line to its last, on a machine of scripts: every command that is marked
`run=server` is run, every setting is set. test_booted_guide.py does it on a machine with systemd."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.server.store.database import TooNew
from tests.packages.guides import OPERATOR, SHELLS, blocks, read, without_blocks
from tests.packages.machine import Machine, Operated, certify
from tests.sync.server.test_opened_shares import recovery_pair_of
from tests.sync.server.wire import Person

OTHERS = {"nginx", "caddy", "apache", "haproxy"}
"""Languages of other programs' settings: test_proxies.py runs them."""


@pytest.fixture
def machine() -> Iterator[Machine]:
    home = Path(tempfile.mkdtemp(prefix="k-"))
    made = Machine(home)
    certify(made)
    yield made
    made.off()
    shutil.rmtree(home)


PEOPLE = "namn;titel;enhet\nEnhetschef Å;Enhetschef;Bygglov\n"
"""people.csv, as a spreadsheet saves it."""


class Story:
    """What happens between the guide's lines: people come, time passes, and another machine is fetched."""

    def __init__(self, machine: Operated) -> None:
        self.machine = machine
        self.machine.put("people.csv", PEOPLE.encode())
        self.names: dict[str, str] = {}
        self.people: list[Person] = []
        self.is_stopped_for_good = False

    async def run(self, line: str) -> None:
        if line.startswith("apt install") and self.is_stopped_for_good:
            self.machine.replace()
            self.is_stopped_for_good = False
        for word, value in self.names.items():
            line = re.sub(rf"\b{word}\b", value, line)
        if "open-room" in line:
            self._set_back(90_000_000)  # the restore was a day ago
        told = await self.machine.run(line)
        if "open-room" in line:
            self._set_back(-90_000_000)
        if "kansli-server invite --name" in line:
            await self._comes(told)
        if line.startswith("systemctl mask"):
            self.is_stopped_for_good = True
        if "kansli-server invites" in line:
            listed = await self.machine.run(line.replace(" --table", ""))
            self.names["INVITATION"] = json.loads(listed.splitlines()[0])["invitation"]
        if "closed" in line:
            closed = json.loads((await self.machine.run(line.replace(" --table", ""))).splitlines()[0])
            self.names |= {"ROOM": closed["room"], "DEVICE": closed["waits"][0]["device"]}

    async def _comes(self, code: str) -> None:
        """Somebody uses the code and founds a room; a registrar comes too, makes a recovery sheet, and loses their
        computer."""
        url, ca = f"https://127.0.0.1:{self.machine.port}", self.machine.home
        await self._enrol("Handläggare", code, url, ca)
        await self.people[0].create()
        invite = "sudo -u kansli-server kansli-server invite --name Registrator --agency-key - < /safe/agency.key"
        await self._enrol("Registrator", await self.machine.run(invite), url, ca)
        lost = self.people[1]
        await recovery_pair_of(lost)
        self.names |= {"PERSON": lost.uid.hex(), "DEVICE": lost.author.dev.hex()}

    async def _enrol(self, name: str, code: str, url: str, ca: Path) -> None:
        person = await Person(name).enrol(url, ca, code.strip())
        self.people.append(person)

    def _set_back(self, ms: int) -> None:
        self.machine.sql("UPDATE restores SET t = t - ?", ms)

    async def end(self) -> None:
        for person in self.people:
            await person.wire.close()


@pytest.mark.slow
async def test_every_command_of_the_guide_does_what_it_says(machine: Machine) -> None:
    story = Story(machine)
    ran = 0
    for block in blocks(OPERATOR):
        assert block.language in {"toml", *SHELLS, *OTHERS}
        if block.language == "toml":
            machine.configure(block.text)
        for line in block.commands if block.kind == "server" else ():
            await story.run(line)
            ran += 1
    await story.end()
    assert ran > 30
    # the last settings are those of a proxy
    assert "behind_proxy = true" in machine.file.read_text(encoding="utf-8")
    assert "plain HTTP for a proxy on" in await machine.run("sudo -u kansli-server kansli-server serve --check")
    assert (machine.home / "run/kansli/server.sock").is_socket()
    journal = (machine.home / "journal").read_text(encoding="utf-8")
    assert "certificate read again" in journal
    assert "ERROR" not in journal


def test_the_guide_quotes_what_an_older_version_says_of_a_newer_database() -> None:
    assert "(*a newer server wrote this folder*)" in read(OPERATOR)
    assert str(TooNew(9)).startswith("a newer server wrote this folder ")


def test_every_command_line_in_the_text_is_in_a_block_that_is_run() -> None:
    """Commands in running text are words of a command, not lines to be typed."""
    text = without_blocks(read(OPERATOR))
    typed = [code for code in re.findall(r"`([^`]+)`", text) if re.match(r"(sudo|apt|curl|kansli-server) ", code)]
    assert typed == []
