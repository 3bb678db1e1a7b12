# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-pairing.json: a second device by code and by digits, a recovery sheet's code, an account
of version 2. Kept to show what is in it; not to be run again: a later version writes files of its own beside these."""

import json
import os
from pathlib import Path

from sync.client.account.account_secrets import Account
from sync.crypto.seal import KemKey
from sync.ids import DevId, Hash, Uid
from sync.trust.person.agency import encode_record
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare

HERE = Path(__file__).parent
AGENCY = Hash(bytes(range(32)))
OLD_KEM, DEV, NEW_DEV = bytes([7] * 32), DevId(bytes([1] * 16)), DevId(bytes([2] * 16))
NEW = DeviceSecrets(sign=bytes([3] * 32), kem=bytes([4] * 32), root=b"")
GENESIS = Hash(bytes([5] * 32))
NAME, SYSTEM = "Bärbar dator 🙂", "Debian 13"


def meeting(code: PairingCode | None) -> dict[str, object]:
    kem = KemKey(OLD_KEM)
    record = encode_record({"name": "Registrator", "title": "", "unit": "Registraturen"})
    described = OldDevice(
        uid=Uid(GENESIS[:16]),
        genesis=GENESIS,
        seq=3,
        head=Hash(bytes([6] * 32)),
        dev=DEV,
        kem_pk=kem.public,
        record=record,
    )
    new, old = Entering(AGENCY, NEW, NAME, SYSTEM, code), Admitting(AGENCY, kem, code)
    first = new.first()
    old.receive_first(first)
    second = old.describe(described)
    third = new.answer(second)
    old.check(third)
    messages = [first, second, third, old.done(4, NEW_DEV)]
    return {
        "code": code.format() if code else "",
        "box": code.box.hex() if code else "",
        "messages": [message.hex() for message in messages],
        "digits": new.digits,
        "name": NAME,
        "system": SYSTEM,
    }


def main() -> None:
    pair = RecoveryPair(RecoveryCode.fresh(), RecoveryShare.fresh())
    account = Account(
        uid=Uid(GENESIS[:16]),
        dev=NEW_DEV,
        agency_pk=os.urandom(32),
        secrets=NEW,
        puk_seeds={1: bytes(32), 2: bytes([9] * 32)},
    )
    value = {
        "agency": AGENCY.hex(),
        "old": {"kem": OLD_KEM.hex(), "dev": DEV.hex(), "genesis": GENESIS.hex()},
        "new": {"sign": NEW.sign.hex(), "kem": NEW.kem.hex(), "dev": NEW_DEV.hex()},
        "by_code": meeting(PairingCode(bytes(range(15)))),
        "by_digits": meeting(None),
        "recovery_sheet": {
            "code": pair.code.format(),
            "share": pair.share.format(),
            "root": pair.code.root.public.hex(),
            "kem": pair.kem.public.hex(),
        },
        "account": account.encode().hex(),
    }
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "sync-1-pairing.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
