# SPDX-License-Identifier: EUPL-1.2
"""The share of a recovery sheet, with a real server and its whole disk: who gets what, and what it opens."""

from pathlib import Path

import pytest

from app.core import clock
from app.core.ids import new_obj
from sync.client.account.account_recovery import Attempt, Recovery, Returned
from sync.client.account.enrolment import Enrolment
from sync.client.status import LinkState
from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.errors import Reject
from sync.protocol import messages as m
from sync.server.config import Config
from sync.server.host.identity import read_escrow
from sync.server.operator import admin
from sync.server.store.sql import SqlStore
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency
from sync.trust.person.escrow_key import certify_escrow
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare
from sync.trust.person.user_log import RECOVERY, UserLog
from tests.journeys.bad_input.checks import lie
from tests.world import Client, World, until


async def log_on(disk: Path, who: Client) -> UserLog:
    """The person's log as it is on the server's disk."""
    store = SqlStore(Config(data=disk).database)
    await store.open()
    try:
        rows = await store.user_entries(who.uid, -1)
    finally:
        await store.close()
    return UserLog.replay([(row.body, row.sig) for row in rows], who.engine.parts.link.account.agency_pk)


def lies_there(disk: Path, secret: bytes) -> list[str]:
    """The files that contain a secret, as bytes or in hex."""
    forms = (secret, secret.hex().encode())
    return [p.name for p in disk.rglob("*") if p.is_file() and any(form in p.read_bytes() for form in forms)]


async def test_attack_a_recovery_sheet_and_a_copy_of_a_real_servers_disk_open_nothing(w: World) -> None:
    """The attacker has found the recovery sheet and has every file of the server's data folder, also after the person
    was given a return code. Neither the share nor the key that opens it is there, and nothing opens without them."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, "hemligt å 🙂".encode())
    await w.settle(room)
    code = RecoveryCode.parse(await w.make_sheet(a))
    share = RecoveryShare.parse((await w.invite_back(a.uid)).splitlines()[1])
    escrow = read_escrow(w.keys / "escrow.key").key
    await w.stop_server()
    for secret in (share.secret, escrow.seed, (w.keys / "agency.key").read_text().split()[1].encode()):
        assert lies_there(w.data, secret) == []
    assert lies_there(w.data, a.uid) != [], "the disk is searched"
    log = await log_on(w.data, a)
    guesses = [RecoveryPair(code, RecoveryShare(bytes(17))).kem, KemKey(code.root_seed), KemKey(bytes(32))]
    guesses += [KemKey(kdf(code.secret, label)) for label in ("recovery-kem", "recovery-kem-2")]
    for kem in guesses:
        assert user_drafts.open_generations(log, RECOVERY, kem, {}) == {}
    # nor with the agency's secret without the recovery sheet
    assert user_drafts.open_generations(log, RECOVERY, escrow, {}) == {}
    opened = user_drafts.open_generations(log, RECOVERY, RecoveryPair(code, share).kem, {})
    assert opened == a.engine.parts.link.account.puk_seeds, "with both halves it is the person's"


async def test_a_wrong_or_missing_share_changes_nothing_and_the_right_one_is_taken_after_it(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    recovery_sheet, _ = await w.make_sheet(a), await w.make_sheet(b)
    code, right = (await w.invite_back(a.uid)).splitlines()
    theirs = (await w.invite_back(b.uid)).splitlines()[1]
    newer = RecoveryCode.fresh().format()
    await a.engine.recovery_sheet.publish(newer, recovery_sheet)
    late = (await w.invite_back(a.uid, code)).splitlines()[1]
    with pytest.raises(Reject, match="share-missing"):
        Attempt.begin(code, newer)
    with pytest.raises(Reject, match="share-code"):
        Attempt.begin(f"{code} {right[:-1]}", newer)
    for share in (theirs, right):  # another person's, and that of the former recovery sheet
        with pytest.raises(Reject) as e:
            await Recovery(w.dialer(), Attempt.begin(f"{code} {share}", newer), clock.now_ms).look()
        assert e.value.code == "share"
    with pytest.raises(Reject, match="share-code"):
        Enrolment(w.dialer(), f"{code} {right[:-1]}", clock.now_ms)
    asked = await Enrolment(w.dialer(), f"{code} {late}", clock.now_ms).look()
    assert asked.here  # of a person with an account, by the code itself: the server is not asked
    before = a.engine.devices.own_log.seq
    assert (await log_on(w.data, a)).seq == before
    await a.stop()
    await admin.revoke(w.data, uid=a.uid, dev=a.engine.parts.link.account.dev)
    tried = Attempt.begin(f"{code} {late}", newer)
    assert isinstance(await Recovery(w.dialer(), tried, clock.now_ms).ask(), Returned)
    w.clients.remove(a)


async def test_attack_a_server_that_gives_out_a_key_of_its_own_gets_no_share(w: World) -> None:
    """It would open the share, and everything with a recovery sheet that somebody finds."""
    (a,) = await w.hire("Handläggare")
    mine = m.Signed(*certify_escrow(Agency(bytes(32)), KemKey(bytes(32)).public))
    await lie(a, lambda f: [m.EscrowReply(f.rid, mine)] if isinstance(f, m.EscrowReply) else [f])
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    with pytest.raises(Reject) as e:
        await a.engine.recovery_sheet.publish(RecoveryCode.fresh().format())
    assert e.value.code == "escrow"
    assert a.engine.devices.own_log.recovery_sheet is None
