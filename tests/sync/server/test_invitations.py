# SPDX-License-Identifier: EUPL-1.2
"""Open invitations: listed, withdrawn, marked as those of a person with an account, and reported where the name
is there already."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.operator import admin, invitations, listing
from sync.server.process.running import start_server
from sync.server.store.base import Store, Taken
from sync.trust.person.agency import SignInCode, invite_id
from tests.sync.server.house import House
from tests.sync.server.restored import signed_out
from tests.sync.server.said import said
from tests.sync.server.store_rows import ANNA, entry, invite, store, user
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, Refused, config, wired

__all__ = ["store"]  # a fixture

HOUR_MS = 3_600_000


def founded(tmp_path: Path) -> list[str]:
    """An agency; the options that name it."""
    data = tmp_path / "server"
    admin.init(data, keys=tmp_path / "keys")
    return ["--data", str(data)]


# -- the store -------------------------------------------------------------------------------------------------------


async def test_many_invitations_are_stored_together_or_not_at_all(store: Store) -> None:
    await store.add_invite(invite(b"q" * 32))
    with pytest.raises(Taken):
        await store.add_invites([invite(), invite(b"q" * 32)])
    assert await store.invite(b"p" * 32) is None
    made = [replace(invite(bytes([k]) * 32), made=9 - k, person=ANNA) for k in range(3)]
    await store.add_invites(made)
    assert await store.invites() == [invite(b"q" * 32), *reversed(made)]


async def test_a_withdrawn_invitation_enrols_nobody_and_is_not_counted(store: Store) -> None:
    await store.add_invite(invite())
    assert (await store.counts(1000)).invites_open == 1
    await store.withdraw_invite(b"p" * 32, 1500)
    await store.withdraw_invite(b"p" * 32, 1600)
    assert await store.invites() == [replace(invite(), withdrawn=1500)]
    assert (await store.counts(1000)).invites_open == 0
    with pytest.raises(Taken):
        await store.enrol(b"p" * 32, user(), [entry(0)])
    with pytest.raises(Taken):
        await store.return_user(user(), [entry(0)], [invite()])
    assert await store.user(ANNA) is None


async def test_a_used_invitation_is_not_withdrawn(store: Store) -> None:
    await store.add_invite(invite())
    await store.enrol(b"p" * 32, user(), [entry(0)])
    for pk in (b"p" * 32, b"x" * 32):
        with pytest.raises(Taken):
            await store.withdraw_invite(pk, 1500)
    assert [row.withdrawn for row in await store.invites()] == [0]


# -- a running server ------------------------------------------------------------------------------------------------


async def looked_up(house: House, code: str) -> m.InviteReply:
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        pk = SignInCode.parse(code.splitlines()[0]).key.public
        return await wire.ask(m.Invite(wire.rid(), pk), m.InviteReply)


async def test_a_withdrawn_code_is_refused_as_such_also_after_it_was_looked_up(house: House) -> None:
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    assert not (await looked_up(house, code)).here
    await invitations.withdraw(house.data, invite_id(SignInCode.parse(code).key.public))
    with pytest.raises(Refused, match="code-withdrawn"):
        await looked_up(house, code)
    with pytest.raises(Refused, match="code-withdrawn"):
        await Person("Registrator").enrol(house.server.url, house.data, code)
    assert [line.name for line in await listing.users(house.data, "")] == []


async def test_attack_a_withdrawn_code_brings_no_log_back(house: House, tmp_path: Path) -> None:
    """Otherwise somebody who found it could upload, to a restored server, a log that seems to have used it."""
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    bert = await Person("Registrator").enrol(house.server.url, house.data, code)
    await bert.wire.close()
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    await invitations.withdraw(back, invite_id(SignInCode.parse(code).key.public))
    async with start_server(config(back)) as server:
        await signed_out(bert, server, back)
        with pytest.raises(Refused, match="code-withdrawn"):
            await bert.wire.ask(m.ReuploadLog(bert.wire.rid(), bert.entries), m.Ok)
        await bert.wire.close()


async def test_the_server_reports_before_a_code_is_used_that_its_person_has_an_account(house: House) -> None:
    anna = await house.person()
    code = await admin.invite_back(house.data, uid=anna.uid)
    assert (await looked_up(house, code)).here
    (line,) = await listing.invites(house.data)
    assert (line.person, line.name) == (anna.uid.hex(), "Handläggare")
    await admin.reset(house.data, uid=anna.uid)
    assert not (await looked_up(house, code)).here


# -- the command line ------------------------------------------------------------------------------------------------


def test_open_invitations_are_listed_and_one_is_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = founded(tmp_path)
    for name in ("Handläggare Å", "Registrator"):
        assert main(["invite", *data, "--name", name, "--title", "Handläggare", "--unit", "Bygglov"]) == 0
    capsys.readouterr()
    assert main(["invites", *data]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["title"], line["unit"], line["person"]) for line in lines] == [
        ("Handläggare Å", "Handläggare", "Bygglov", ""),
        ("Registrator", "Handläggare", "Bygglov", ""),
    ]
    assert all((line["age_hours"], line["hours_left"]) == (0.0, 72.0) for line in lines)
    assert main(["invites", *data, "--table"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split("  ")[0] == "INVITATION"
    assert len(table) == 3
    ident = lines[0]["invitation"]
    assert main(["withdraw", *data, ident]) == 0
    assert main(["invites", *data]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["name"] == "Registrator"
    assert main(["withdraw", *data, ident]) == 1
    assert "is withdrawn already" in capsys.readouterr().err
    assert main(["withdraw", *data, "00" * 16]) == 1
    assert "no invitation has this id" in capsys.readouterr().err


async def test_an_invitation_that_is_used_or_too_old_is_not_withdrawn(house: House) -> None:
    anna = await house.person()
    with pytest.raises(ConfigError, match="has been used"):
        await invitations.withdraw(house.data, invite_id(anna.invite_pk))
    old = await admin.invite(house.data, name="Registrator", title="", unit="", hours=-1)
    with pytest.raises(ConfigError, match="too old"):
        await invitations.withdraw(house.data, invite_id(SignInCode.parse(old).key.public))


@pytest.mark.parametrize("option", ["--title", "--unit"])
def test_a_title_or_unit_is_refused_for_somebody_who_is_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    data = founded(tmp_path)
    assert main(["invite", *data, "--person", "00" * 16, option, "Byrådirektör"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--title and --unit go with --name: people are invited with the record that they have" in printed.err
    assert main(["invite", *data, "--csv", "none.csv", option, "Byrådirektör"]) == 1
    assert "with what the list says" in capsys.readouterr().err


def test_a_name_that_is_there_already_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = founded(tmp_path)
    asked = ["invite", *data, "--title", "Handläggare", "--unit", "Bygglov", "--name"]
    assert main([*asked, "Registrator Å"]) == 0
    assert capsys.readouterr().err == ""
    assert main([*asked, "registrator  å"]) == 0
    printed = capsys.readouterr()
    assert "Registrator Å (Handläggare, Bygglov) has an open invitation already: " in printed.err
    assert SignInCode.parse(printed.out)  # it is a warning: two colleagues may have one name


async def test_a_colleague_of_the_same_name_is_named_by_id_and_one_who_left_is_not(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = await house.person("Handläggare")
    asked = ["invite", "--data", str(house.data), "--name", "handläggare"]
    assert await asyncio.to_thread(main, asked) == 0
    printed = capsys.readouterr().err
    assert "Handläggare" in printed
    assert f"is here already: person {anna.uid.hex()}" in printed
    await admin.reset(house.data, uid=anna.uid)
    for line in await listing.invites(house.data):
        await invitations.withdraw(house.data, bytes.fromhex(line.invitation))
    assert await asyncio.to_thread(main, asked) == 0
    assert said(capsys.readouterr().err) == ""


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("", "a name is needed"),
        ("Registrator\u202e", "a character that cannot be seen (U+202E)"),
        ("Regi\nstrator", "a character that cannot be seen (U+000A)"),
        ("R" * 121, "has 121 characters; at most 120 are taken"),
    ],
)
def test_a_name_that_nobody_could_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, printed: str
) -> None:
    data = founded(tmp_path)
    assert main(["invite", *data, "--name", name]) == 1
    assert printed in capsys.readouterr().err
    assert asyncio.run(listing.invites(tmp_path / "server")) == []
