# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads what an earlier one wrote: how a second device was let in."""

from typing import Any

import pytest

from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import Hash
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import Cover, OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering
from tests.sync.vectors.stored import load, raw


@pytest.mark.parametrize("variant", ["by_code", "by_digits"])
def test_a_second_device_that_was_let_in_reads_the_same(pairing: Any, variant: str) -> None:
    vector, agency = pairing[variant], Hash(raw(pairing["agency"]))
    code = PairingCode.parse(vector["code"]) if vector["code"] else None
    assert vector["box"] == (code.box.hex() if code else "")
    first, second, third, fourth = (raw(message) for message in vector["messages"])
    old, new = pairing["old"], pairing["new"]
    secrets = DeviceSecrets(sign=raw(new["sign"]), kem=raw(new["kem"]), root=b"")
    entering = Entering(agency, secrets, vector["name"], vector["system"], code)
    cover = Cover(agency, code)
    (content,) = cover.take("new", first, 1)
    header, nonce = cover.take("old", second, 2)
    entering.old = OldDevice.read(header)
    assert entering.old.genesis.hex() == old["genesis"]
    assert entering.done(fourth) == (4, raw(new["dev"]))
    admitting = Admitting(agency, KemKey(raw(old["kem"])), code)
    admitting.receive_first(first)
    admitting._old, admitting._nonce = entering.old, nonce  # type: ignore[assignment]
    admitting._cover._transcript = H(
        "enrol-transcript", H("enrol-transcript", H("enrol-transcript", agency), first), second
    )
    admitting.check(third)
    assert admitting.new is not None
    assert (admitting.new.name, admitting.new.system, admitting.digits) == (
        vector["name"],
        vector["system"],
        vector["digits"],
    )
    assert admitting.new.sign_pk == SigningKey(secrets.sign).public
    assert content == (admitting.new.fields() if code else content)


@pytest.mark.parametrize("variant", ["by_code", "by_digits"])
def test_a_second_device_follows_the_same_moves_of_the_log(variant: str) -> None:
    moved = load("moved")
    agency, old, new = Hash(raw(moved["agency"])), moved["old"], moved["new"]
    code = PairingCode.parse(moved[variant]["code"]) if moved[variant]["code"] else None
    secrets = DeviceSecrets(sign=raw(new["sign"]), kem=raw(new["kem"]), root=b"")
    first, second, third, *between, fourth = map(raw, moved[variant]["messages"])
    entering = Entering(agency, secrets, "Bärbar dator 🙂", "Debian 13", code)
    admitting = Admitting(agency, KemKey(raw(old["kem"])), code)
    cover = Cover(agency, code)
    cover.take("new", first, 1)
    header, nonce = cover.take("old", second, 2)
    admitting.receive_first(first)
    entering.old = admitting._old = OldDevice.read(header)
    admitting._nonce = nonce  # type: ignore[assignment]
    for side in (entering, admitting):
        side._cover._transcript = cover._transcript
    admitting.check(third)
    entering._cover.note(third)
    entering.heads.append((entering.old.seq, entering.old.head))
    for fifth, sixth in zip(between[::2], between[1::2], strict=True):
        assert entering.prove_again(fifth) is not None
        entering._cover._transcript = admitting._cover._transcript
        entering._cover.note(fifth)
        entering._cover.note(sixth)
        admitting._old = entering.old
        admitting._cover.note(fifth)
        admitting.check_again(sixth)
    assert [[seq, head.hex()] for seq, head in entering.heads] == moved["heads"]
    assert entering.done(fourth) == (moved["done"], raw(new["dev"]))
