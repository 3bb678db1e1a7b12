# SPDX-License-Identifier: EUPL-1.2
"""An operator requires a release of the client: older programs are refused, and nothing changes for others."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.programs import AGENT, release, release_of, shown
from sync.protocol.version import PROGRAM
from sync.server.__main__ import main
from sync.server.operator import admin
from sync.server.process.running import start_server
from sync.trust.person.agency import SignInCode
from tests.sync.server.house import House
from tests.sync.server.wire import Person, Refused, Wire, config, open_wire, wired


@pytest.fixture
async def strict(data: Path) -> AsyncIterator[House]:
    """A server that requires 0.2.0."""
    async with start_server(replace(config(data), min_client=(0, 2, 0))) as server:
        made = House(server, data)
        yield made
        await made.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.1.0", (0, 1, 0)),
        ("0.1", (0, 1, 0)),
        ("12.345.6789", (12, 345, 6789)),
        ("1", None),
        ("0.1.0.0", None),
        ("01.2.3", None),
        ("0.1.0\n", None),
        ("٠.١", None),
        ("9999999.0.0", None),
        ("", None),
    ],
)
def test_a_release_is_read_from_its_text_and_nothing_else_is_one(text: str, found: tuple[int, int, int] | None) -> None:
    assert release(text) == found


def test_a_client_names_the_program_that_it_is() -> None:
    named = release_of(AGENT)
    assert named is not None
    assert shown(named) == PROGRAM
    assert release_of(f"other/{PROGRAM}") is None


async def enrolled(house: House) -> Person:
    """A person who enrolled while every program could."""
    house.server.service.min_client = None
    person = await house.person()
    await person.wire.close()
    house.server.service.min_client = (0, 2, 0)
    return person


async def greeted(house: House, person: Person, agent: str) -> Wire:
    person.wire = await open_wire(house.server.url, house.data)
    await person.wire.greet(agent=agent)
    return person.wire


@pytest.mark.parametrize("agent", ["kansli/0.1.9", "kansli/0.1", "kansli", "other/9.0.0", "kansli/0.2.0-x", ""])
async def test_an_older_program_is_refused_with_a_code_and_the_release_that_is_needed(
    strict: House, agent: str
) -> None:
    person = await enrolled(strict)
    wire = await greeted(strict, person, agent)
    with pytest.raises(Refused, match=r"client-old 0\.2\.0"):
        await person.auth()
    await wire.close()


@pytest.mark.parametrize("agent", ["kansli/0.2.0", "kansli/0.10.0", "kansli/1.0.0"])
async def test_a_program_of_that_release_or_later_signs_in(strict: House, agent: str) -> None:
    person = await enrolled(strict)
    await greeted(strict, person, agent)
    await person.auth()


async def test_an_older_program_spends_no_activation_code(strict: House) -> None:
    text = await admin.invite(strict.data, name="Registrator", title="", unit="")
    invite = SignInCode.parse(text).key.public
    async with wired(strict.server.url, strict.data) as wire:
        await wire.greet(agent="kansli/0.1.0")
        with pytest.raises(Refused, match="client-old"):
            await wire.ask(m.Invite(wire.rid(), invite), m.InviteReply)
    async with wired(strict.server.url, strict.data) as wire:
        await wire.greet(agent="kansli/0.2.0")
        await wire.ask(m.Invite(wire.rid(), invite), m.InviteReply)


async def test_an_older_program_still_learns_that_its_device_was_revoked(strict: House) -> None:
    strict.server.service.min_client = None
    person = await strict.person()
    await admin.revoke(strict.data, uid=person.uid, dev=person.author.dev)
    await person.wire.end()
    strict.server.service.min_client = (0, 2, 0)
    await greeted(strict, person, "kansli/0.1.0")
    with pytest.raises(AssertionError, match="Revoked"):
        await person.auth()


async def test_a_signature_is_checked_before_the_release(strict: House) -> None:
    person = await enrolled(strict)
    await greeted(strict, person, "kansli/0.1.0")
    with pytest.raises(ConnectionError):
        await person.auth(address="other.example:443")
    error = await person.wire.end()
    assert error is not None
    assert error.code == "auth"


def test_check_reports_which_clients_will_be_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "server.toml"
    file.write_text(f'data = "{data}"\nmin_client = "0.2.0"', encoding="utf-8")
    assert main(["serve", "--check", "--config", str(file)]) == 0
    assert "Clients older than 0.2.0 are refused." in capsys.readouterr().out
    file.write_text(f'data = "{data}"\nmin_client = "0.2"\n', encoding="utf-8")
    assert main(["serve", "--check", "--config", str(file)]) == 0
    assert "older than 0.2.0" in capsys.readouterr().out
    file.write_text(f'data = "{data}"\nmin_client = "newest"', encoding="utf-8")
    assert main(["serve", "--check", "--config", str(file)]) == 1
    assert "min_client = 'newest' is not allowed" in capsys.readouterr().err
