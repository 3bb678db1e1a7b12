# SPDX-License-Identifier: EUPL-1.2
"""Attacks on the return by a recovery sheet: wrong sheets and invitations, and a server that shows
another person's log."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.core import clock
from sync.client.account.account_recovery import Attempt, Recovery
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Refused, Reject, WrongAgency
from sync.protocol import codec
from sync.protocol import messages as m
from sync.trust.person import user_drafts
from sync.trust.person.agency import SignInCode
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.recovery_sheet import RecoveryCode
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_entry import ROOT
from tests.sync.client.quick_audit import w
from tests.sync.client.recovering import (
    DAY_MS,
    asked,
    attempt,
    built,
    built_without_invite,
    later,
    no,
    refused,
    revoked_by_agency,
)
from tests.world import World

__all__ = ["later", "w"]  # fixtures


async def test_attack_a_wrong_recovery_sheet_finds_nobody(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    await w.make_sheet(a)
    assert await refused(w, await attempt(w, a, RecoveryCode.fresh().format())) == "recovery-sheet-unknown"
    with pytest.raises(Reject) as e:
        Attempt.begin(await w.invite_back(a.uid), "AAAA-BBBB")
    assert e.value.code == "recovery-sheet-code"


async def test_attack_a_recovery_sheet_with_anothers_invitation_is_refused(w: World) -> None:
    a, _ = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried = await attempt(w, a, recovery_sheet, code=await w.invite("Registrator"))
    assert await refused(w, tried) == "other-person"
    _, entries, _ = await built(w, tried, a)
    assert "other-person" in await no(w, tried, a, entries)


async def test_attack_a_server_that_shows_another_persons_log_or_record_is_found_out(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried = await attempt(w, a, recovery_sheet)
    theirs = [m.Signed(*e) for e in b.store.user_log(b.uid)]

    def lie(data: bytes, out: bool, *, log: bool) -> list[bytes]:
        frame = None if out else codec.decode_server(data)
        if not isinstance(frame, m.RecoverLookupReply):
            return [data]
        salted = m.Person(frame.person.uid, b"salt", frame.person.record, frame.person.ulog_seq, b"")
        shorter = m.Person(frame.person.uid, frame.person.salt, frame.person.record, len(theirs) - 1, b"")
        person, entries = (shorter, theirs) if log else (salted, frame.entries)
        return [codec.encode(m.RecoverLookupReply(frame.rid, person, entries))]

    for log, code in ((True, "recovery-sheet"), (False, "record")):
        wire = w.dialer()
        wire.spoil = lambda data, out, log=log: lie(data, out, log=log)
        with pytest.raises(Reject) as e:
            await Recovery(wire, tried, clock.now_ms).look()
        assert e.value.code == code


async def test_attack_a_server_that_gives_another_persons_invitation_is_found_out(w: World) -> None:
    a, _ = await w.hire("Handläggare", "Registrator")
    recovery_sheet = await w.make_sheet(a)
    tried, other = (
        await attempt(w, a, recovery_sheet),
        await attempt(w, a, recovery_sheet, code=await w.invite("Registrator")),
    )

    def lie(data: bytes, out: bool, *, asks: bool) -> list[bytes]:
        frame = codec.decode_client(data) if out else None
        if asks and isinstance(frame, m.RecoverLookup):  # the server looks away
            return [codec.encode(m.RecoverLookup(frame.rid, tried.code.key.public, frame.root_pk, frame.after))]
        if not asks and isinstance(frame, m.Invite):
            return [codec.encode(m.Invite(frame.rid, other.code.key.public))]
        return [data]

    for asks, who, code in ((True, other, "other-person"), (False, tried, "wrong-agency")):
        wire = w.dialer()
        wire.spoil = lambda data, out, asks=asks: lie(data, out, asks=asks)
        with pytest.raises((Refused, WrongAgency)) as e:
            await Recovery(wire, who, clock.now_ms).ask()
        assert e.value.code == code
    assert len(a.engine.devices.own_log.devices) == 1


async def test_attack_entries_that_were_sent_once_are_not_taken_again(w: World, later: Callable[[int], None]) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    tried, other = await attempt(w, a, recovery_sheet), await attempt(w, a, recovery_sheet)
    _, entries, _ = await built(w, tried, a)
    await asked(w, tried)
    await a.engine.devices.renew()  # the log moves on
    later(DAY_MS + 1000)
    assert "conflict" in await no(w, tried, a, entries)
    assert "conflict" in await no(w, other, a, entries)
    _, entries, _ = await built(w, tried, a)
    assert "invalid" in await no(w, other, a, entries)  # bound by another invitation


async def test_attack_an_invitation_brings_back_once(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    await a.stop()
    await revoked_by_agency(w, a)
    tried = await attempt(w, a, recovery_sheet)
    again = await w.come_back("Handläggare", tried)
    w.clients.remove(a)
    thief = replace(tried, secrets=DeviceSecrets.without_root())
    assert await refused(w, thief) == "code-used"
    _, entries, _ = await built_without_invite(thief, again)
    assert "code-used" in await no(w, thief, again, entries)


async def test_attack_a_root_without_a_binding_adds_nothing(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))
    _, entries, back = await built(w, tried, a)
    log = a.engine.devices.own_log
    seeds = a.engine.parts.link.account.puk_seeds
    hand = Hand(ROOT, back.pair.code.root, seeds)
    device, kem = SigningKey(tried.secrets.sign), KemKey(tried.secrets.kem)
    proof = device.sign("dev-proof", [log.uid, log.head, [device.public, kem.public], ROOT])
    bare = user_drafts.admit(log, hand, device.public, kem.public, proof, 1)
    assert "binding" in await no(w, tried, a, [bare])
    assert "invalid" in await no(w, tried, a, entries[:1])
    rotated = user_drafts.rotate_puk(log, hand, 1)[0]
    assert "invalid" in await no(w, tried, a, [rotated])
    # nor does an active device bind its person again by itself
    with pytest.raises(Refused) as e:
        await a.engine.devices.append(entries[:1])
    assert "binding" in e.value.detail


async def test_attack_an_unknown_invitation_sees_no_log(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet, unknown = await w.make_sheet(a), SignInCode.fresh(a.engine.parts.link.account.agency_pk)
    tried = await attempt(w, a, recovery_sheet, code=unknown.format())
    assert await refused(w, tried) == "code-unknown"
