# SPDX-License-Identifier: EUPL-1.2
"""A file sealed to a person: only their own devices can read it, and it is believed only from their own devices."""

import os

import pytest

from sync.client.account import sealed_export
from sync.client.account.account_secrets import Account
from sync.client.account.sealed_export import HEAD_BYTES
from sync.errors import Refused, Reject
from sync.ids import Uid
from sync.trust.person.user_log import UserLog
from tests.world import Client, World, until

BODY = "Osänt, åäö 🙂".encode() * 1000


def of(client: Client) -> tuple[Account, UserLog]:
    return client.engine.parts.link.account, client.engine.devices.own_log


def split(file: bytes) -> tuple[bytes, bytes]:
    return file[:HEAD_BYTES], file[HEAD_BYTES:]


async def test_another_device_of_the_person_reads_it_also_what_was_written_after_a_revocation(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    lost = await w.second(a)
    assert a.engine.devices.open_mine(*split(lost.engine.devices.seal_to_me(BODY))) == (lost.engine.devices.mine, BODY)
    await a.engine.devices.revoke(lost.engine.devices.mine)
    await until(lambda: lost.engine.devices.ended == "revoked")
    written = lost.engine.devices.seal_to_me(BODY)
    assert a.engine.devices.open_mine(*split(written)) == (lost.engine.devices.mine, BODY)
    with pytest.raises(Refused, match="keys"):
        lost.engine.devices.open_mine(*split(written))


async def test_attack_a_colleague_knows_the_key_to_seal_to_and_is_not_believed(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    await b.engine.directory(a.name)
    theirs = b.engine.parts.link.book.log(a.uid)
    assert theirs is not None
    account, _ = of(b)
    forged = sealed_export.put(account, theirs, b"as if from the other one")
    with pytest.raises(Reject, match="export-other-person"):
        a.engine.devices.open_mine(*split(forged))
    mine, _ = of(a)
    as_mine = Account(
        uid=mine.uid, dev=mine.dev, agency_pk=mine.agency_pk, secrets=account.secrets, puk_seeds={}
    )  # the colleague's key under this person's device id
    with pytest.raises(Reject, match="signature"):
        a.engine.devices.open_mine(*split(sealed_export.put(as_mine, theirs, b"as if from the other one")))
    with pytest.raises(Reject, match="export-other-person"):
        b.engine.devices.open_mine(*split(a.engine.devices.seal_to_me(BODY)))


async def test_attack_a_device_that_is_not_in_the_persons_log_writes_nothing_in_their_name(w: World) -> None:
    """Its export names this person, and is signed by that device's own key."""
    a, b = await w.hire("Handläggare", "Registrator å 🙂")
    (mine, log), (theirs, _) = of(a), of(b)
    as_mine = Account(uid=mine.uid, dev=theirs.dev, agency_pk=mine.agency_pk, secrets=theirs.secrets, puk_seeds={})
    with pytest.raises(Reject, match="export-other-person"):
        a.engine.devices.open_mine(*split(sealed_export.put(as_mine, log, BODY)))


async def test_attack_a_changed_or_cut_sealed_export_does_not_open(w: World) -> None:
    (a,) = await w.hire("Handläggare")
    file = a.engine.devices.seal_to_me(BODY)
    for at in (0, 7, 23, 24, 31, 32, 48, 500, 1216, 1223, HEAD_BYTES - 1, HEAD_BYTES, len(file) - 1):
        spoilt = bytearray(file)
        spoilt[at] ^= 1
        with pytest.raises((Reject, Refused)):
            a.engine.devices.open_mine(*split(bytes(spoilt)))
    for cut in (file[:5], file[: HEAD_BYTES - 1], file[:-1], file + b"x", b"", os.urandom(2000)):
        with pytest.raises(Reject, match="malformed"):
            a.engine.devices.open_mine(*split(cut))
    for version in (b"\x01", b"\x03"):  # an older and a newer one
        with pytest.raises(Reject, match="format"):
            a.engine.devices.open_mine(*split(file[:6] + version + file[7:]))
    account, log = of(a)
    other = Account(
        uid=Uid(b"o" * 16), dev=account.dev, agency_pk=account.agency_pk, secrets=account.secrets, puk_seeds={}
    )
    with pytest.raises(Reject, match="export-other-person"):
        sealed_export.take(account, log, *split(sealed_export.put(other, log, BODY)))
