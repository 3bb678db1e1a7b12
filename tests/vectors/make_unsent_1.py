# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/unsent-1.kansli-unsent and unsent-1.json: a file of unsent work of version 1, and the account and
log that open it. Until the first release it is run again when a format that it uses changes.
"""

import hashlib
import json
import os
from pathlib import Path

import msgspec

from app.devices.unsent import VERSION, Body, Change, Draft, Part
from sync.client.account import sealed_export
from sync.client.account.account_secrets import Account
from sync.ids import Uid
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, new_user

HERE = Path(__file__).parent
ROOM, OBJ = bytes([1] * 16), bytes([2] * 16)


def main() -> None:
    agency = Agency(bytes([9] * 32))
    record = encode_record({"name": "Handläggare", "title": "", "unit": "Tillsyn"})
    hashed = record_hash(bytes(32), record)
    code = SignInCode.fresh(agency.pk)
    cert = agency.certify_invite(code.key.public, hashed, 1_795_500_000_000)
    secrets, seed = DeviceSecrets.fresh(), os.urandom(32)
    entries, log = new_user(secrets, code, agency.pk, cert, hashed, seed, 1_795_500_000_000)
    account = Account(
        uid=Uid(log.uid), dev=next(iter(log.devices)), agency_pk=agency.pk, secrets=secrets, puk_seeds={1: seed}
    )
    sealed_part = bytes(range(256)) * 8
    body = Body(
        VERSION,
        (
            Change(ROOM, OBJ, bytes([3] * 16), 1_795_500_000_001, False, b"Skrivet utan n\xc3\xa4t", ()),
            Change(ROOM, OBJ, bytes([4] * 16), 1_795_500_000_002, True, b"med en fil", (bytes([5] * 16),)),
        ),
        (Draft(ROOM, OBJ, b"utkast"),),
        (Part(bytes([5] * 16), ROOM, OBJ, bytes([6] * 32), hashlib.sha256(sealed_part).digest(), 2048, 2000),),
    )
    (HERE / "unsent-1.kansli-unsent").write_bytes(
        sealed_export.put(account, log, msgspec.msgpack.encode(body)) + sealed_part
    )
    vector = {
        "account": account.encode().hex(),
        "agency": agency.pk.hex(),
        "log": [[entry.hex(), sig.hex()] for entry, sig in entries],
    }
    (HERE / "unsent-1.json").write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
