# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-moved.json: a second device by code and by digits, while the log moves twice before the
yes. Kept to show what is in it; not to be run again: a later version writes files of its own beside these.
"""

import json
from pathlib import Path

from sync.crypto.seal import KemKey
from sync.ids import DevId, Hash, Uid
from sync.trust.person.agency import encode_record
from sync.trust.person.author import DeviceSecrets
from sync.trust.person.pairing_messages import OldDevice, PairingCode
from sync.trust.person.pairing_protocol import Admitting, Entering

HERE = Path(__file__).parent
AGENCY = Hash(bytes(range(32)))
OLD_KEM, DEV, NEW_DEV = bytes([7] * 32), DevId(bytes([1] * 16)), DevId(bytes([2] * 16))
NEW = DeviceSecrets(sign=bytes([3] * 32), kem=bytes([4] * 32), root=b"")
GENESIS = Hash(bytes([5] * 32))
HEADS = [(3, Hash(bytes([6] * 32))), (4, Hash(bytes([8] * 32))), (6, Hash(bytes([9] * 32)))]


def meeting(code: PairingCode | None) -> dict[str, object]:
    kem = KemKey(OLD_KEM)
    record = encode_record({"name": "Registrator", "title": "", "unit": "Enheten för tillsyn 🙂"})
    seq, head = HEADS[0]
    described = OldDevice(
        uid=Uid(GENESIS[:16]), genesis=GENESIS, seq=seq, head=head, dev=DEV, kem_pk=kem.public, record=record
    )
    new, old = Entering(AGENCY, NEW, "Bärbar dator 🙂", "Debian 13", code), Admitting(AGENCY, kem, code)
    first = new.first()
    old.receive_first(first)
    second = old.describe(described)
    third = new.answer(second)
    old.check(third)
    messages = [first, second, third]
    for seq, head in HEADS[1:]:
        fifth = old.ask_again(seq, head)
        sixth = new.prove_again(fifth)
        assert sixth is not None
        old.check_again(sixth)
        messages += [fifth, sixth]
    messages.append(old.done(7, NEW_DEV))
    return {"code": code.format() if code else "", "messages": [message.hex() for message in messages]}


def main() -> None:
    value = {
        "agency": AGENCY.hex(),
        "old": {"kem": OLD_KEM.hex(), "dev": DEV.hex(), "genesis": GENESIS.hex()},
        "new": {"sign": NEW.sign.hex(), "kem": NEW.kem.hex(), "dev": NEW_DEV.hex()},
        "heads": [[seq, head.hex()] for seq, head in HEADS],
        "done": 7,
        "by_code": meeting(PairingCode(bytes(range(15)))),
        "by_digits": meeting(None),
    }
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "sync-1-moved.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
