# SPDX-License-Identifier: EUPL-1.2
"""Runs in the process that uses a smart card. The library of the card's maker is loaded here and nowhere else: if the
library crashes or hangs, only this process does.

The process gets the PIN on its standard input, gives it to the card once, and writes it nowhere. It has no key of the
store, and ends when the program closes its input. `reader` is the program's side.
"""

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

import pkcs11
from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from asn1crypto.x509 import Certificate
from pkcs11 import KDF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag
from pkcs11.exceptions import (
    DeviceRemoved,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    SessionHandleInvalid,
    TokenNotPresent,
    TokenNotRecognised,
)
from pkcs11.util.ec import encode_ec_public_key

from app.card.errors import (
    CardFault,
    CardGone,
    CardLocked,
    CardModuleFault,
    CardRefused,
    LastCardTry,
    NoCard,
    WrongCard,
    WrongCardPin,
)
from app.card.frames import (
    MOST_KEYS,
    MOST_TOKENS,
    Answer,
    Done,
    Failed,
    GetKeys,
    GetTokens,
    Key,
    Keys,
    Login,
    Question,
    Secret,
    Token,
    Tokens,
    Unwrap,
    read_question,
    write,
)
from app.core import dumps
from app.core.parent import end_with_parent
from sync.crypto.card import ECDH, OAEP, PKCS1, methods_for
from sync.errors import Reject

_GONE = (DeviceRemoved, SessionHandleInvalid, TokenNotPresent, TokenNotRecognised)
_UNREADABLE = (PKCS11Error, ValueError, TypeError, LookupError, AttributeError, struct.error)
"""What python-pkcs11 raises for an attribute that is missing or nonsense."""
_WRONG_PIN = (PinIncorrect, PinInvalid, PinLenRange)
_MECHANISMS = {OAEP: Mechanism.RSA_PKCS_OAEP, PKCS1: Mechanism.RSA_PKCS, ECDH: Mechanism.ECDH1_DERIVE}
_USES = {OAEP: MechanismFlag.DECRYPT, PKCS1: MechanismFlag.DECRYPT, ECDH: MechanismFlag.DERIVE}
_OAEP_SHA1 = (Mechanism.SHA_1, pkcs11.MGF.SHA1, None)
# python-pkcs11 makes the classes of keys when it is used, from what a key can do: they have no types of their own
_Any = Any


class CardLibrary:
    """The library for smart cards in the file `path`, which the first question loads, and the card that it is logged in
    to: at most one. Raises no error for what the card or the library refuses: `answer` returns Failed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._library: _Any = None
        self._session: _Any = None

    def answer(self, question: Question) -> Answer:
        """Answers one question of the program. Returns Failed if the card or its library does not do what was asked.
        Blocks as long as the library does, at a PIN pad until the person is done."""
        try:
            match question:
                case GetTokens():
                    return Tokens(tuple(token for token, _ in self._tokens()))
                case Login():
                    self._login(question)
                    return Done()
                case GetKeys():
                    return Keys(tuple(islice(self._keys(), MOST_KEYS)))
                case Unwrap():
                    return Secret(self._unwrap(question))
        except CardFault as fault:
            return Failed(str(fault.code))
        except _GONE:
            return Failed(CardGone.code)
        except PKCS11Error:
            return Failed(CardRefused.code)

    def close(self) -> None:
        """Logs out of the card, if it was logged in to."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(PKCS11Error):
                session.close()

    def _tokens(self) -> list[tuple[Token, _Any]]:
        """The cards in the readers that ask for a PIN, with what they are to the library. ▲ A card that needs no PIN is
        none of them. Otherwise a card that anybody can use would lift the curtain."""
        if self._library is None:
            try:
                self._library = pkcs11.lib(self._path)
            except (RuntimeError, OSError) as e:  # it cannot be loaded, is no such library, or does not start
                raise CardModuleFault from e
        found = list[tuple[Token, _Any]]()
        for slot in self._library.get_slots(token_present=True):
            with suppress(*_GONE):
                token = slot.get_token()
                if TokenFlag.LOGIN_REQUIRED in token.flags and TokenFlag.TOKEN_INITIALIZED in token.flags:
                    found.append((_described(token), token))
        return found[:MOST_TOKENS]

    def _login(self, asked: Login) -> None:
        """▲ One C_Login at most: a card locks itself after three wrong PINs."""
        there = self._tokens()
        token = next((one for described, one in there if described.is_same(asked.token)), None)
        if token is None:
            raise WrongCard if there else NoCard
        state = _described(token)
        if state.locked:
            raise CardLocked
        if self._session is not None:
            raise CardRefused
        try:
            self._session = token.open(user_pin=pkcs11.PROTECTED_AUTH if asked.pin is None else asked.pin)
        except PinLocked as e:
            raise CardLocked from e
        except _WRONG_PIN as e:
            raise self._refusal(asked.token) from e

    def _refusal(self, token: Token) -> CardFault:
        """The error after a wrong PIN, by what the card says of the tries that are left."""
        with suppress(CardFault, PKCS11Error):
            for described, _ in self._tokens():
                if described.is_same(token):
                    return CardLocked() if described.locked else LastCardTry() if described.last else WrongCardPin()
        return WrongCardPin()

    # -- keys -----------------------------------------------------------------------------------------------------

    def _keys(self) -> Iterator[Key]:
        """Yields the keys that can be used. A key that cannot be read is left out, such as one of a type of the maker's
        own."""
        offered = self._offered()
        for private in self._objects(ObjectClass.PRIVATE_KEY):
            try:
                key = self._usable(private, offered)
            except _GONE:
                raise
            except _UNREADABLE:
                continue
            if key is not None:
                yield key

    def _usable(self, private: _Any, offered: set[int]) -> Key | None:
        """The key `private` if it can be used by one of the methods `offered`."""
        if _read(private, Attribute.ALWAYS_AUTHENTICATE):
            return None  # a key for signatures, which asks for its PIN each time
        if not _read(private, Attribute.DERIVE if private.key_type == KeyType.EC else Attribute.DECRYPT):
            return None
        for public in self._publics(private):
            with suppress(Reject):
                methods = tuple(method for method in methods_for(public) if method in offered)
                if methods:
                    return Key(id=private.id, label=_label(private), public=public, methods=methods)
        return None

    def _offered(self) -> set[int]:
        """The methods that the card has the mechanisms for."""
        slot = self._session.token.slot
        there = slot.get_mechanisms()
        return {
            method
            for method, mechanism in _MECHANISMS.items()
            if mechanism in there and _USES[method] in slot.get_mechanism_info(mechanism).flags
        }

    def _objects(self, kind: ObjectClass, key_id: bytes | None = None) -> list[_Any]:
        attributes: dict[Attribute, object] = {Attribute.CLASS: kind}
        if key_id is not None:
            attributes[Attribute.ID] = key_id
        if self._session is None:
            raise CardRefused
        return list(self._session.get_objects(attributes))

    def _publics(self, private: _Any) -> Iterator[bytes]:
        """Yields the public key to a private one (SubjectPublicKeyInfo in DER), from each place in which a card may
        have it: its own object, the private key, a certificate."""
        for source, read in (
            (self._objects(ObjectClass.PUBLIC_KEY, private.id), _public_of_key),
            ([private], _public_of_key),
            (self._objects(ObjectClass.CERTIFICATE, private.id), _public_of_certificate),
        ):
            for one in source:
                with suppress(*_UNREADABLE):
                    yield read(one)

    def _unwrap(self, asked: Unwrap) -> bytes:
        found = [
            private
            for private in self._objects(ObjectClass.PRIVATE_KEY, asked.key_id)
            if asked.public in self._publics(private)
        ]
        if not found:
            raise WrongCard
        if asked.method == ECDH:
            return _agree(found[0], asked.blob)
        param = _OAEP_SHA1 if asked.method == OAEP else None
        return bytes(found[0].decrypt(asked.blob, mechanism=_MECHANISMS[asked.method], mechanism_param=param))


def _described(token: _Any) -> Token:
    flags = token.flags
    return Token(
        label=token.label[:128],
        serial=token.serial.decode("utf-8", "replace").strip("\0 ")[:128],
        pin_pad=TokenFlag.PROTECTED_AUTHENTICATION_PATH in flags,
        few=TokenFlag.USER_PIN_COUNT_LOW in flags,
        last=TokenFlag.USER_PIN_FINAL_TRY in flags,
        locked=TokenFlag.USER_PIN_LOCKED in flags,
    )


def _read(key: _Any, attribute: Attribute) -> bool:
    """A yes or no of a key; no if the card does not say."""
    try:
        return bool(key[attribute])
    except _UNREADABLE:
        return False


def _label(key: _Any) -> str:
    """The name that the card has for a key, or the key's number if it has none that can be read."""
    try:
        return key.label[:128] or str(key.id.hex())
    except _UNREADABLE:
        return str(key.id.hex())


def _public_of_key(key: _Any) -> bytes:
    if key.key_type == KeyType.EC:
        return bytes(encode_ec_public_key(key))
    numbers = RSAPublicKey(
        {
            "modulus": int.from_bytes(key[Attribute.MODULUS], "big"),
            "public_exponent": int.from_bytes(key[Attribute.PUBLIC_EXPONENT], "big"),
        }
    )
    return bytes(PublicKeyInfo.wrap(numbers, "rsa").dump())


def _public_of_certificate(certificate: _Any) -> bytes:
    return bytes(Certificate.load(certificate[Attribute.VALUE]).public_key.dump())


def _agree(private: _Any, point: bytes) -> bytes:
    """The x coordinate that the card computes with the point of the other side. PKCS #11 wants the bare point; some
    libraries want it as a DER octet string."""
    size = (len(point) - 1) // 2
    der = bytes((4, len(point))) if len(point) < 128 else bytes((4, 0x81, len(point)))
    template = {
        Attribute.EXTRACTABLE: True,
        Attribute.SENSITIVE: False,
        Attribute.TOKEN: False,
        Attribute.VALUE_LEN: size,
    }
    for at, given in enumerate((point, der + point)):
        try:
            shared = private.derive_key(
                KeyType.GENERIC_SECRET, size * 8, mechanism=Mechanism.ECDH1_DERIVE,
                mechanism_param=(KDF.NULL, None, given), template=template,
            )  # fmt: skip
            return bytes(shared[Attribute.VALUE])
        except _GONE:
            raise
        except PKCS11Error:
            if at:
                raise
    raise CardRefused


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """(questions, answers): standard input and output, moved to other descriptors, since a library may write to the
    standard ones."""
    answers = os.fdopen(os.dup(1), "wb")
    questions = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return questions, answers


def _end_with_program() -> None:
    """Has the system end this process with the program, also if the program is killed while the library hangs. ▲ If the
    program has ended already, this process ends before it reads a question, which may be in the pipe by now. Otherwise
    the card would be given its PIN for somebody who has left."""
    if sys.platform == "linux":
        import select

        end_with_parent()
        program = select.poll()
        program.register(0, 0)  # POLLHUP alone, which comes also for a pipe in which something is left to read
        if any(event & select.POLLHUP for _, event in program.poll(0)):
            os._exit(0)


def main(given: Sequence[str]) -> int:
    """Runs the process: answers questions about cards until the program closes its input. `given`: the path of the
    library. Does not return: the library's own clearing up at the end of a process could hang or crash it."""
    dumps.forbid()
    _end_with_program()
    questions, answers = _streams()
    card = CardLibrary(given[0] if given else "")
    with suppress(ValueError, OSError):
        while (question := read_question(questions)) is not None:
            write(answers, card.answer(question))
    card.close()
    os._exit(0)
