# SPDX-License-Identifier: EUPL-1.2
"""The parameters of a smart card's key slot (FORMAT.md): which card and key, and from what the card gives the wrapping
key back. keyslots.py reads and writes the slot."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from app.card.errors import CardRefused, NoCardKey
from app.card.frames import Key, Token
from app.card.reader import Conversation
from app.errors import SlotDamaged
from app.store.slot_file import MAX_SLOT_BYTES
from sync.crypto.card import derive_key, encapsulate_for_card, methods_for
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.errors import Reject

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CardParams:
    """The parameters of a card's slot. `token`: the card. `key_id`: its key, which belongs to the public key `public`
    (SubjectPublicKeyInfo in DER). `method` and `blob`: those of the Encapsulation (sync/crypto/card.py) whose key is
    the slot's wrapping key. `proof`: what `proof_for` returns for the database key, so the program that wrote the slot
    knew it."""

    token: Token
    key_id: bytes
    public: bytes
    method: int
    blob: bytes
    proof: bytes = b""

    def to_bytes(self) -> bytes:
        """Encodes the parameters for the slot's file. They end with a checksum, so that damage is found before the card
        is given its PIN."""
        fields = [*self._fields(), self.proof]
        return enc([*fields, _checksum(fields)])

    def proof_for(self, key: bytes, profile_id: bytes) -> bytes:
        """What only a program that knows the database key `key` can compute from the other fields, for this profile."""
        return kdf(key, "card slot", profile_id, enc(self._fields()))

    def wrapping_key(self, talk: Conversation) -> bytes:
        """Returns the slot's wrapping key, 32 bytes, for which the card decrypts or agrees on the secret. `talk` is
        logged in to the card. Blocks. CardFault."""
        return derive_key(self.public, self.blob, talk.unwrap(self.key_id, self.public, self.method, self.blob))

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


def new_params(
    talk: Conversation, token: Token, usable: Sequence[Key], key: bytes, profile_id: bytes
) -> tuple[bytes, bytes]:
    """Makes (parameters, wrapping key) of a slot for the database key `key` and the first of the card's `usable` keys.
    `talk` is logged in to the card. Blocks. NoCardKey if there is no key, or no method of it works; CardFault.

    ▲ The card gives the wrapping key back once before this returns, by the method that the slot names. Otherwise a slot
    whose method the card offers and does not carry out could be stored, and would open nothing."""
    for found in usable[:1]:
        for method in found.methods:
            params, wrapping = _sealed(token, found.id, found.public, method, key, profile_id)
            try:
                if hmac.compare_digest(params.wrapping_key(talk), wrapping):
                    return params.to_bytes(), wrapping
            except CardRefused:
                continue
    raise NoCardKey()


def renewed_params(params: bytes, current: bytes, key: bytes, profile_id: bytes) -> tuple[bytes, bytes]:
    """Makes (parameters, wrapping key) of a slot for the same card and the new database key `key`, without the card.
    `params`: those of the present slot. SlotDamaged if they are damaged, or their writer did not know the `current`
    database key."""
    old = parse(params)
    if not hmac.compare_digest(old.proof, old.proof_for(current, profile_id)):
        raise SlotDamaged()
    new, wrapping = _sealed(old.token, old.key_id, old.public, old.method, key, profile_id)
    return new.to_bytes(), wrapping


def _sealed(
    token: Token, key_id: bytes, public: bytes, method: int, key: bytes, profile_id: bytes
) -> tuple[CardParams, bytes]:
    try:
        made = encapsulate_for_card(public, method)
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
