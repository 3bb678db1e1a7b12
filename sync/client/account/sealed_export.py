# SPDX-License-Identifier: EUPL-1.2
"""Bytes sealed to a person instead of a room: what a revoked device had not sent, for the person's other devices.

```
"KNKEEP" ‖ u8 version 2 ‖ uid 16 ‖ u64 generation ‖ dev 16 ‖ SEAL(PUK of the generation, info, K 32) ‖ u64 length ‖ sig
    ‖ AEAD(K, ctx, body)
info = enc(ctx)     ctx = ["sealed-export", uid, generation, dev]
sig  = SIG(the device's key, "sealed-export", [uid, generation, dev, the SEAL, H(the AEAD)])
```
The length is of the AEAD's bytes; what follows them is the caller's own. A device that is revoked has not got the
generation that its revocation made: it can write such a file, and not read it.
"""

import os
import struct

from sync.client.account.account_secrets import Account
from sync.crypto import aead, seal
from sync.crypto.encoding import enc
from sync.crypto.kdf import H
from sync.crypto.signatures import verify
from sync.errors import Refused, Reject
from sync.ids import DevId, Uid
from sync.trust.person.user_log import UserLog

MAGIC = b"KNKEEP"
VERSION = 2
MAX_BODY = 1 << 30

_HEAD = struct.Struct(">6sB16sQ16s1168sQ64s")
HEAD_BYTES = _HEAD.size
_DOMAIN = "sealed-export"


def put(account: Account, log: UserLog, body: bytes) -> bytes:
    """Makes a sealed export, which hands `body`, what this device could not send, to the person's other devices.
    Encrypts it to the person's newest PUK (the key that their devices share), and signs it with the key of `account`,
    this device's account. `log`: this person's log. Returns the whole export: the head and the encrypted bytes. More
    than MAX_BODY (1 GiB) of these is no error here, but nothing can read the export."""
    uid, gen, dev = account.uid, log.puks[-1].gen, account.dev
    key = os.urandom(32)
    sealed = seal.seal_to(log.puks[-1].kem_pk, enc(_context(uid, gen, dev)), key)
    packed = aead.encrypt(key, _context(uid, gen, dev), body)
    sig = account.signing.sign(_DOMAIN, [uid, gen, dev, sealed, H(packed)])
    return _HEAD.pack(MAGIC, VERSION, uid, gen, dev, sealed, len(packed), sig) + packed


def length(head: bytes) -> int:
    """How many encrypted bytes follow `head`, the first `HEAD_BYTES` of a sealed export. Reject "format" if its version
    is not this one, "malformed" if it begins no such file, is not `HEAD_BYTES` long, or names more than MAX_BODY
    bytes."""
    if len(head) < 7 or head[:6] != MAGIC:
        raise Reject("malformed", "sealed export")
    if head[6] != VERSION:
        raise Reject("format", "sealed export")
    if len(head) != HEAD_BYTES or (size := int(_HEAD.unpack(head)[6])) > MAX_BODY:
        raise Reject("malformed", "sealed export")
    return size


def take(account: Account, log: UserLog, head: bytes, packed: bytes) -> tuple[DevId, bytes]:
    """Verifies and decrypts a sealed export: `head`, and the encrypted bytes `packed` after it. Returns the device that
    wrote it, and its content. `account`: this device's account, with its keys. `log`: this person's log. ▲ Only a
    device in that log, active or revoked, is accepted as the writer: everybody knows the key to which it is sealed, and
    the content is sent in this person's name.

    Reject "export-other-person" if the export belongs to somebody else or its writer is not in the log, "signature" if
    the writer did not sign it, "decrypt" if it does not open, "format" for another version, "malformed" if `head`
    begins no sealed export or `packed` has another length than it says. Refused("keys") while this device does not have
    the generation of the person's key that it needs.
    """
    if length(head) != len(packed):
        raise Reject("malformed", "sealed export")
    _, _, uid, gen, dev, sealed, _, sig = _HEAD.unpack(head)
    writer = log.devices.get(DevId(dev))
    if uid != account.uid or writer is None:
        raise Reject("export-other-person", "sealed export")
    verify(writer.sign_pk, _DOMAIN, [uid, gen, dev, sealed, H(packed)], sig)
    puk = account.puk(gen)
    if puk is None:
        raise Refused("keys", "sealed export")
    context = _context(Uid(uid), gen, DevId(dev))
    return DevId(dev), aead.decrypt(puk.open(enc(context), sealed), context, packed)


def _context(uid: Uid, gen: int, dev: DevId) -> list[object]:
    return [_DOMAIN, uid, gen, dev]
