# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-proof.json: a receipt as it is kept and carried away, and what a member signed beside it.
Kept to show what is in it; not to be run again."""

import json
from pathlib import Path

from sync.crypto.signatures import SigningKey
from sync.protocol.messages import Receipt, Signed
from sync.trust.formats.items import ENVELOPE, Item
from sync.trust.person.agency import Agency
from sync.trust.room import signed_receipts

ROOM, RH, T = b"rum" + bytes(13), b"r" * 32, 1_795_000_000_000


def write(path: Path) -> None:
    agency, server = Agency(bytes([7]) * 32), SigningKey(bytes([9]) * 32)
    receipt = Receipt(ROOM, 41, RH, T, signed_receipts.sign(server, ROOM, 41, RH, T))
    proof = signed_receipts.Proof(receipt, Signed(*agency.certify_server(server.public, T + 1)))
    items = [Item(42, T, ENVELOPE, b"body 42", b"", None), Item(43, T, ENVELOPE, b"body 43", b"s" * 64, None)]
    value = {
        "agency_pk": agency.pk.hex(),
        "room": ROOM.hex(),
        "n": 41,
        "rh": RH.hex(),
        "t": T,
        "proof": proof.encode().hex(),
        "claim": signed_receipts.claim(items).hex(),
    }
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    write(Path(__file__).parent / "sync-1-proof.json")
