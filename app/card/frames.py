# SPDX-License-Identifier: EUPL-1.2
"""The messages between the program and the process that uses a smart card: one line of JSON each. The program sends a
question, and the process answers it before the next one."""

from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta, Struct

from app.core.visible import one_line

MAX_LINE = 1 << 20
"""The longest line that is read, in bytes."""
MOST_TOKENS, MOST_KEYS = 16, 32
"""The most cards, and keys of one card, in an answer."""
_Name = Annotated[str, Meta(max_length=128)]
_Bytes = Annotated[bytes, Meta(max_length=2048)]


class Token(Struct, frozen=True, kw_only=True):
    """A card in a reader (PKCS #11 calls it a token). `pin_pad`: the PIN is typed at the reader. `few`: a wrong PIN was
    given since the last right one, so few tries are left before the card locks itself. `last`: one try is left.
    `locked`: the card has locked itself."""

    label: _Name
    serial: _Name
    pin_pad: bool = False
    few: bool = False
    last: bool = False
    locked: bool = False

    @property
    def name(self) -> str:
        """The card's name as it may be shown: its label, or its serial number if it has none."""
        return one_line(self.label) or one_line(self.serial)

    def is_same(self, other: "Token") -> bool:
        """Whether both are the same card, by label and serial number."""
        return (self.label, self.serial) == (other.label, other.serial)


class Key(Struct, frozen=True, kw_only=True):
    """A key of the card that Kansli can use. `id`: its CKA_ID, which only this card knows. `label`: its name on the
    card. `public`: its public key, SubjectPublicKeyInfo in DER. `methods`: those of sync/crypto/card.py that the card
    offers with it, the best first."""

    id: _Bytes
    label: _Name
    public: _Bytes
    methods: Annotated[tuple[int, ...], Meta(max_length=8)]

    @property
    def name(self) -> str:
        """The key's name as it may be shown: its label, or its number if it has none."""
        return one_line(self.label) or self.id.hex()


class GetTokens(Struct, frozen=True, tag=True):
    """Asks which cards are in the readers. The answer is Tokens."""


class Login(Struct, frozen=True, tag=True, kw_only=True):
    """Gives the card its PIN; None: the person types it at the reader's PIN pad. The answer is Done."""

    token: Token
    pin: str | None

    def __repr__(self) -> str:
        return "Login()"


class GetKeys(Struct, frozen=True, tag=True):
    """Asks for the keys that can be used, after Login. The answer is Keys."""


class Unwrap(Struct, frozen=True, tag=True, kw_only=True):
    """Has the card's private key `key_id` decrypt `blob`, or agree on a secret with the point `blob`, after Login. The
    key must belong to the public key `public`. The answer is Secret."""

    key_id: _Bytes
    public: _Bytes
    method: int
    blob: _Bytes


class Tokens(Struct, frozen=True, tag=True):
    """The cards that are in readers and ask for a PIN."""

    found: Annotated[tuple[Token, ...], Meta(max_length=MOST_TOKENS)]


class Done(Struct, frozen=True, tag=True):
    """The card has accepted the PIN."""


class Keys(Struct, frozen=True, tag=True):
    """The keys of the card that Kansli can use."""

    found: Annotated[tuple[Key, ...], Meta(max_length=MOST_KEYS)]


class Secret(Struct, frozen=True, tag=True):
    """What the private key has made of the `blob` of Unwrap: the decrypted text, or the x coordinate of the agreed
    point."""

    data: Annotated[bytes, Meta(min_length=32, max_length=66)]

    def __repr__(self) -> str:
        return "Secret()"


class Failed(Struct, frozen=True, tag=True):
    """The question failed. `code`: that of the error in app/card/errors.py."""

    code: Annotated[str, Meta(max_length=32)]


Question = GetTokens | Login | GetKeys | Unwrap
Answer = Tokens | Done | Keys | Secret | Failed
_questions: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def write(pipe: BinaryIO, message: Question | Answer) -> None:
    """Writes one message as a line, at once. OSError if the other process has ended."""
    pipe.write(msgspec.json.encode(message) + b"\n")
    pipe.flush()


def read_question(pipe: BinaryIO) -> Question | None:
    """The program's next question; None once the program has closed its end. Waits for it. ValueError for anything
    else."""
    line = pipe.readline(MAX_LINE)
    return _questions.decode(line) if line else None


def read_answer(pipe: BinaryIO) -> Answer | None:
    """The next answer of the process; None if it has ended. Waits for it. ValueError for anything else, also for a line
    that is too long or breaks off."""
    line = pipe.readline(MAX_LINE)
    try:
        return _answers.decode(line) if line else None
    except RecursionError as e:  # objects in objects, by the thousand
        raise ValueError from e
