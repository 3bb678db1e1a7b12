# SPDX-License-Identifier: EUPL-1.2
"""The parameters of a smart card's key slot: which card and key, and what the card needs to give the secret back
(FORMAT.md). keyslots.py reads and writes the slot."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from app.card.errors import CardRefused, NoCardKey
from app.card.frames import Key, Token
from app.card.reader import Conversation
from app.errors import SlotDamaged
from app.store.slot_file import MAX_SLOT_BYTES
from sync.crypto.card import key_of, methods_for, seal_for_card
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.errors import Reject

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CardParams:
    """What a card's slot says: the card `token`; its key `key_id`, which belongs to the public key `public`
    (SubjectPublicKeyInfo in DER); the method of sync/crypto/card.py, and the `blob` for it. `proof` shows that the
    program that wrote this knew the database key."""

    token: Token
    key_id: bytes
    public: bytes
    method: int
    blob: bytes
    proof: bytes = b""

    def to_bytes(self) -> bytes:
        """The parameters in the slot's file. A checksum at the end finds damage before the card is asked for its
        PIN."""
        fields = [*self._fields(), self.proof]
        return enc([*fields, _checksum(fields)])

    def proof_for(self, key: bytes, profile_id: bytes) -> bytes:
        """The proof of somebody who knows the database key `key`."""
        return kdf(key, "card slot", profile_id, enc(self._fields()))

    def wrapping(self, talk: Conversation) -> bytes:
        """Has the card, which is logged in to, give the secret back, and returns the wrapping key. CardFault."""
        return key_of(self.public, self.blob, talk.unwrap(self.key_id, self.public, self.method, self.blob))

    def _fields(self) -> list[object]:
        token = self.token
        return [VERSION, token.label, token.serial, self.key_id, self.public, self.method, self.blob]


def parse(params: bytes) -> CardParams:
    """Reads the parameters of a card's slot. SlotDamaged for anything else, also for those of a later version."""
    try:
        fields = dec(params, limit=MAX_SLOT_BYTES)
    except Reject as e:
        raise SlotDamaged() from e
    match fields:
        case [int(version), str(label), str(serial), bytes(key_id), bytes(public), int(method), *rest]:
            pass
        case _:
            raise SlotDamaged()
    match rest:
        case [bytes(blob), bytes(proof), bytes(checksum)] if version == VERSION and checksum == _checksum(fields[:-1]):
            pass
        case _:
            raise SlotDamaged()
    try:
        is_known = method in methods_for(public)
    except Reject as e:
        raise SlotDamaged() from e
    if not is_known:
        raise SlotDamaged()
    token = Token(label=label, serial=serial)
    return CardParams(token=token, key_id=key_id, public=public, method=method, blob=blob, proof=proof)


def tried(
    talk: Conversation, token: Token, usable: Sequence[Key], key: bytes, profile_id: bytes
) -> tuple[bytes, bytes]:
    """(parameters, wrapping key) for the database key `key` and the first of the card's `usable` keys. ▲ The card,
    which is logged in to, has given the secret back by this method: a method that the card offers and does not carry
    out is passed over. NoCardKey if no key or method is left, CardFault."""
    for found in usable[:1]:
        for method in found.methods:
            params, wrapping = _sealed(token, found.id, found.public, method, key, profile_id)
            try:
                if hmac.compare_digest(params.wrapping(talk), wrapping):
                    return params.to_bytes(), wrapping
            except CardRefused:
                continue
    raise NoCardKey()


def renewed(params: bytes, current: bytes, key: bytes, profile_id: bytes) -> tuple[bytes, bytes]:
    """(parameters, wrapping key) of a slot for the same card and the new database key `key`. SlotDamaged if `params`
    was not written by somebody who knew the `current` database key."""
    old = parse(params)
    if not hmac.compare_digest(old.proof, old.proof_for(current, profile_id)):
        raise SlotDamaged()
    new, wrapping = _sealed(old.token, old.key_id, old.public, old.method, key, profile_id)
    return new.to_bytes(), wrapping


def _sealed(
    token: Token, key_id: bytes, public: bytes, method: int, key: bytes, profile_id: bytes
) -> tuple[CardParams, bytes]:
    try:
        made = seal_for_card(public, method)
    except Reject as e:
        raise NoCardKey() from e
    params = CardParams(token=token, key_id=key_id, public=public, method=method, blob=made.blob)
    proof = params.proof_for(key, profile_id)
    return (
        CardParams(token=token, key_id=key_id, public=public, method=method, blob=made.blob, proof=proof),
        made.key,
    )


def _checksum(fields: Sequence[object]) -> bytes:
    return H("card-slot", enc(list(fields)))
