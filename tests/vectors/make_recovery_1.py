# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/sync-1-recovery.json: a log in which a recovery sheet was made and a person recovered
their account with it, an attempt of
version 2 and an account of version 4. Kept to show what is in it.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

from sync.client.account.account_recovery import Attempt
from sync.client.account.account_secrets import Account
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import DevId
from sync.trust.person import user_drafts
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.author import DeviceSecrets, new_user
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryPair, RecoveryShare, ReturnCode
from sync.trust.person.user_drafts import Hand, RecoveryPlan

HERE = Path(__file__).parent
NOW = 1_790_000_000_000
RECORD = encode_record({"name": "Registrator Å 🙂", "title": "", "unit": "Registraturen"})


def invitation(agency: Agency, salt: bytes) -> tuple[SignInCode, tuple[bytes, bytes]]:
    code = SignInCode.fresh(agency.pk)
    return code, agency.certify_invite(code.key.public, record_hash(salt, RECORD), NOW + 1)


def main() -> None:
    agency, old, seed = Agency(bytes(range(32))), DeviceSecrets.fresh(), os.urandom(32)
    salts = (b"salt of the first", b"salt of the second")
    code, cert = invitation(agency, salts[0])
    entries, log = new_user(old, code, agency.pk, cert, record_hash(salts[0], RECORD), seed, NOW)
    dev = next(iter(log.devices))
    account = Account(uid=log.uid, dev=dev, agency_pk=agency.pk, secrets=old, puk_seeds={1: seed})
    rotated, second = user_drafts.rotate_puk(log, Hand(dev, account.signing, {1: seed}), NOW + 1)
    log.apply(*rotated)
    pair, escrow = RecoveryPair(RecoveryCode.fresh(), RecoveryShare.fresh()), KemKey(os.urandom(32))
    pending = replace(
        account, puk_seeds={1: seed, 2: second}, recovery_sheet=pair.secret, vetoed=(DevId(bytes([8] * 16)),)
    )
    made = user_drafts.new_recovery_sheet(log, SigningKey(old.root), pair, escrow.public, {1: seed, 2: second}, NOW + 2)
    for entry in made:
        log.apply(*entry)
    again, cert = invitation(agency, salts[1])
    attempt = Attempt(code=again, recovery_sheet=pair, revoke=True)
    back = RecoveryPlan(
        pair=pair,
        code=again,
        cert=cert,
        record=record_hash(salts[1], RECORD),
        secrets=attempt.secrets,
        revoke=(dev,),
    )
    returned, seeds = user_drafts.recovery_entries(log, back, NOW + 3)
    every = [*entries, rotated, *made, *returned]
    value = {
        "agency_pk": agency.pk.hex(),
        "entries": [[body.hex(), sig.hex()] for body, sig in every],
        "recovery_sheet": pair.code.format(),
        "share": pair.share.format(),
        "escrow_seed": escrow.seed.hex(),
        "salt": salts[1].hex(),
        "record": RECORD.hex(),
        "puk_seeds": {str(gen): s.hex() for gen, s in sorted(seeds.items())},
        "attempt": attempt.encode().hex(),
        "attempt_code": ReturnCode(again, pair.share).format(),
        "account": pending.encode().hex(),
    }
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    (HERE / "sync-1-recovery.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
