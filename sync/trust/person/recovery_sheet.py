# SPDX-License-Identifier: EUPL-1.2
"""The two halves of a recovery sheet, format 2 (protocol §3): the code on the printed recovery sheet, and the share
that is sealed to the agency. A person who has lost every device recovers their account and its content with both.

Both are drawn at random and never chosen: 130 bits each and a checksum. The person's root key is derived from the
printed code alone. The recovery key, to which each PUK generation is sealed, is derived from both. No device keeps
either key.
"""

import os
from dataclasses import dataclass, field

from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.trust.formats import code_letters
from sync.trust.person.agency import CODE_LETTERS as SIGN_IN_LETTERS
from sync.trust.person.agency import SignInCode

SECRET_BITS = 130
CHECK_BITS = 10
CODE_LETTERS = 28
RECOVERY_SHEET_BYTES = -(-SECRET_BITS // 8)
PAIR_BYTES = 2 * RECOVERY_SHEET_BYTES
_LABEL = "recovery-2"
_LABEL_OF_FORMAT_1 = "recovery"
_SHARE_LABEL = "recovery-share"


def _draw() -> bytes:
    number = int.from_bytes(os.urandom(RECOVERY_SHEET_BYTES), "big") >> (RECOVERY_SHEET_BYTES * 8 - SECRET_BITS)
    return number.to_bytes(RECOVERY_SHEET_BYTES, "big")


def _write(label: str, secret: bytes) -> str:
    return code_letters.write(
        code_letters.checked(label, int.from_bytes(secret, "big"), SECRET_BITS, CHECK_BITS), CODE_LETTERS
    )


def _read(label: str, text: str) -> bytes:
    number = code_letters.check(label, code_letters.read(text, CODE_LETTERS), SECRET_BITS, CHECK_BITS)
    return number.to_bytes(RECOVERY_SHEET_BYTES, "big")


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """The code that is printed on a person's recovery sheet, one of the two secrets that bring an account back.
    `secret` is a number of 130 bits in 17 bytes."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "RecoveryCode":
        return cls(_draw())

    def format(self) -> str:
        """The code as seven groups of four letters."""
        return _write(_LABEL, self.secret)

    @classmethod
    def parse(cls, text: str) -> "RecoveryCode":
        """Reads a typed code. Reject `code` if it is mistyped (one mistake in a thousand is not noticed here),
        `recovery-sheet-format` for the code of a recovery sheet of format 1, which is no longer accepted."""
        try:
            return cls(_read(_LABEL, text))
        except Reject:
            _read(_LABEL_OF_FORMAT_1, text)
            raise Reject("recovery-sheet-format", "recovery sheet") from None

    @property
    def root(self) -> SigningKey:
        """The person's root key once this recovery sheet is in force."""
        return SigningKey(self.root_seed)

    @property
    def root_seed(self) -> bytes:
        """The seed of the root key, 32 B. ▲ It does not depend on the share, so that the agency cannot make it."""
        return kdf(self.secret, "recovery-root")


@dataclass(frozen=True, slots=True)
class RecoveryShare:
    """The second half of a recovery sheet's secret, which is not on the paper: it is sealed to the agency, which hands
    it over with an activation code. `secret` is a number of 130 bits in 17 bytes."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "RecoveryShare":
        return cls(_draw())

    def format(self) -> str:
        """The share as seven groups of four letters; the agency hands it over with an activation code."""
        return _write(_SHARE_LABEL, self.secret)

    @classmethod
    def parse(cls, text: str) -> "RecoveryShare":
        """Parses a typed share. Reject "code" if it is mistyped."""
        return cls(_read(_SHARE_LABEL, text))


@dataclass(frozen=True, slots=True)
class RecoveryPair:
    """Both halves of a recovery sheet's secret: the printed code, and the agency's share. The person's root key, which
    may add a device to their log, is derived from the code alone. The recovery key, which opens the person's content,
    is derived from both."""

    code: RecoveryCode
    share: RecoveryShare

    @classmethod
    def of(cls, secret: bytes) -> "RecoveryPair":
        """The pair in the 34 bytes of `secret`."""
        return cls(RecoveryCode(secret[:RECOVERY_SHEET_BYTES]), RecoveryShare(secret[RECOVERY_SHEET_BYTES:]))

    @property
    def secret(self) -> bytes:
        """The code's 17 bytes, then the share's."""
        return self.code.secret + self.share.secret

    @property
    def kem(self) -> KemKey:
        """▲ The recovery key, private and public: it is derived from both halves of a recovery sheet's secret (the
        printed code and the agency's share); neither half alone gives it. While this recovery sheet is the person's
        newest, each generation of their per-user key (PUK) is sealed to it, as it is to their devices."""
        return KemKey(kdf(self.secret, "recovery-kem-2"))


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """What the agency hands to a person who recovers their account: an activation code, and the share of their
    recovery sheet."""

    code: SignInCode
    share: RecoveryShare

    def format(self) -> str:
        """Two lines: the activation code, then the share."""
        return f"{self.code.format()}\n{self.share.format()}"

    @classmethod
    def parse(cls, text: str) -> "ReturnCode":
        """Reads the activation code and the share, typed one after the other. Reject "code" if the first is mistyped,
        "share-code" if the second is, "share-missing" for an activation code alone."""
        typed = "".join(c for c in text if c.isalnum())
        code = SignInCode.parse(typed[:SIGN_IN_LETTERS])
        rest = typed[SIGN_IN_LETTERS:]
        if not rest:
            raise Reject("share-missing", "activation code")
        try:
            return cls(code, RecoveryShare.parse(rest))
        except Reject as e:
            raise Reject("share-code", e.where) from e
