# SPDX-License-Identifier: EUPL-1.2
"""A restored server takes back people's logs, and nothing by which an invitation or a veto would be bypassed. Frames by
hand."""

import asyncio
from pathlib import Path

import pytest

from sync.crypto.signatures import SigningKey
from sync.ids import Hash
from sync.protocol import messages as m
from sync.server.operator import admin
from sync.server.operator.upkeep.problems import Problem
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import start_server
from sync.server.rules import restored_rooms
from sync.trust.formats import fields
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, invite_id
from sync.trust.person.author import DeviceSecrets, new_user
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_entry import ROOT, UserEntry, entry_body, entry_id
from tests.sync.server.house import House
from tests.sync.server.restored import Before, before, code_of, done, signed_out
from tests.sync.server.test_backup import back_up, put_back
from tests.sync.server.wire import Person, config, now

__all__ = ["before"]  # a fixture


async def test_who_enrolled_after_the_backup_comes_back_by_their_own_log(house: House, tmp_path: Path) -> None:
    await house.person()
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    bert = Person("Registrator")
    house.people.append(await bert.enrol(house.server.url, house.data, code))
    late = await house.person("Enhetschef")
    await house.close()
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    async with start_server(config(back)) as server:
        for who, known in ((bert, True), (late, False)):
            await signed_out(who, server, back)
            await who.wire.ask(m.ReuploadLog(who.wire.rid(), who.entries), m.Ok)
            await who.wire.ask(m.ReuploadLog(who.wire.rid(), who.entries), m.Ok)
            await who.auth()
            reply = await who.wire.ask(m.Directory(who.wire.rid(), "", [who.uid]), m.DirectoryReply)
            assert [p.uid for p in reply.people] == ([who.uid] if known else [])
            heads = await who.wire.ask(m.LogHeads(who.wire.rid(), [who.uid, b"q" * 16]), m.LogHeadsReply)
            assert [(h.uid, h.seq) for h in heads.heads] == [(who.uid, 2)]
        second_log = Person("Registrator")
        assert await code_of(second_log.enrol(server.url, back, code)) == "code-used"
        await bert.wire.close()
        await late.wire.close()
        await second_log.wire.close()
    found: list[Problem] = []
    await asyncio.to_thread(verify, back, found.append, lambda _: None)
    assert found == []


async def test_attack_a_log_that_does_not_continue_what_is_here_is_not_taken(before: Before) -> None:
    anna = before.anna
    first, second, third = anna.entries
    other = _log_of(b"x" * 32)
    async with before.older():
        for entries, code in (
            ([], "invalid"),
            ([m.Signed(b"x", b"")], "invalid"),
            ([first, m.Signed(*other[1])], "conflict"),
            ([m.Signed(third.body.replace(b"puk_rotate", b"puk_rotatf"), third.sig)], "invalid"),
            ([m.Signed(*e) for e in other], "invalid"),
            ([m.Signed(*other[0])], "invalid"),
        ):
            assert await code_of(anna.wire.ask(m.ReuploadLog(anna.wire.rid(), entries), m.Ok)) == code, entries
        await anna.wire.ask(m.ReuploadLog(anna.wire.rid(), [second, third]), m.Ok)
    assert (await admin.status(before.data)).users == 3


def _log_of(agency_seed: bytes) -> list[tuple[bytes, bytes]]:
    """A whole log, of another agency."""
    agency, code, record = Agency(agency_seed), SignInCode.fresh(Agency(agency_seed).pk), Hash(b"r" * 32)
    cert = agency.certify_invite(code.key.public, record, 2**50)
    entries, _ = new_user(DeviceSecrets.fresh(), code, agency.pk, cert, record, b"p" * 32, now())
    return entries


async def test_attack_a_restored_server_does_not_bypass_invitation_and_veto(
    before: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with the root key uploads its entries as if they had been lost, signed in or not."""
    anna = before.anna
    log, dev = anna.book.logs[anna.uid], anna.author.dev
    root = Hand(ROOT, SigningKey(anna.secrets.root), {1: anna.puk_seed})
    gone = m.Signed(*user_drafts.revoke(log, root, dev, now())[0])
    renewed = m.Signed(*user_drafts.rotate_puk(log, Hand(dev, anna.author.signing, {1: anna.puk_seed}), now())[0])
    async with before.older() as server:
        monkeypatch.setattr(restored_rooms, "LOGS_AFTER_MS", 0)
        await signed_out(before.bert, server, before.data)
        for wire_ in (before.bert.wire, anna.wire):
            assert await code_of(wire_.ask(m.ReuploadLog(wire_.rid(), [gone]), m.Ok)) == "forbidden"
            again = [*anna.entries, gone]
            assert await code_of(wire_.ask(m.ReuploadLog(wire_.rid(), again), m.Ok)) == "forbidden"
        await anna.wire.ask(m.ReuploadLog(anna.wire.rid(), [renewed]), m.Ok)  # entries by a device are taken as ever


async def test_attack_a_used_code_makes_no_second_person_after_a_restore(house: House, tmp_path: Path) -> None:
    """The invitation is in the backup, and so is who used it."""
    anna = await house.person()
    code = await admin.invite(house.data, name="Registrator", title="", unit="")
    bert = Person("Registrator")
    house.people.append(await bert.enrol(house.server.url, house.data, code))
    await asyncio.to_thread(back_up, house.data, tmp_path / "backup")
    back = tmp_path / "restored"
    await asyncio.to_thread(put_back, tmp_path / "backup", back)
    invite = SignInCode.parse(code)
    _, cert, sig, record = fields.array(UserEntry.decode(bert.entries[1].body).payload, 4, "binding")
    assert isinstance(cert, bytes)
    assert isinstance(sig, bytes)
    assert isinstance(record, bytes)
    pk = bert.book.logs[bert.uid].agency_pk
    again, _ = new_user(DeviceSecrets.fresh(), invite, pk, (cert, sig), Hash(record), b"p" * 32, now())
    second_log = [m.Signed(*e) for e in again]
    log = anna.book.logs[anna.uid]  # and nobody takes the other's record over
    by, payload = invite_id(invite.key.public), [pk, cert, sig, record]
    body = entry_body(log.uid, log.seq + 1, log.head, by, now(), "binding", payload)
    taken_over = m.Signed(body, invite.key.sign("user-log", entry_id(body)))
    async with start_server(config(back)) as server:
        await signed_out(bert, server, back)
        assert await code_of(bert.wire.ask(m.ReuploadLog(bert.wire.rid(), second_log), m.Ok)) == "code-used"
        assert await code_of(bert.wire.ask(m.ReuploadLog(bert.wire.rid(), [taken_over]), m.Ok)) == "code-used"
        await bert.wire.close()


async def test_attack_while_a_device_may_hold_more_nothing_new_enters_a_persons_log(before: Before) -> None:
    """Otherwise a device whose revocation was lost could add an entry first."""
    anna, bert = before.anna, before.bert
    async with before.older() as server:
        entry = m.Signed(b"whatever", b"")
        assert await code_of(anna.wire.ask(m.UserAppend(anna.wire.rid(), [entry]), m.Ok)) == "closed"
        await done(anna)
        assert await code_of(anna.wire.ask(m.UserAppend(anna.wire.rid(), [entry]), m.Ok)) != "closed"
        await bert.connect(server.url, before.data)
