# SPDX-License-Identifier: EUPL-1.2
"""The code on the printed sheet: with it a person who has lost every device comes back, content and all (protocol §11).

It is drawn, never chosen: 130 bits and a checksum. The person's root key and a sealing key of their own, to which each
PUK generation is sealed, come from it; neither is kept on any device.
"""

import os
from dataclasses import dataclass, field

from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.trust import letters

SECRET_BITS = 130
CHECK_BITS = 10
CODE_LETTERS = 28
SHEET_BYTES = -(-SECRET_BITS // 8)
_LABEL = "recovery"


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """`secret` is a number of 130 bits in 17 bytes."""

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> "RecoveryCode":
        return cls(
            (int.from_bytes(os.urandom(SHEET_BYTES), "big") >> (SHEET_BYTES * 8 - SECRET_BITS)).to_bytes(
                SHEET_BYTES, "big"
            )
        )

    def format(self) -> str:
        """Seven groups of four letters."""
        number = letters.checked(_LABEL, int.from_bytes(self.secret, "big"), SECRET_BITS, CHECK_BITS)
        return letters.write(number, CODE_LETTERS)

    @classmethod
    def parse(cls, text: str) -> "RecoveryCode":
        """The code as typed. Reject "code" if it is mistyped (one mistake in a thousand is not seen here)."""
        number = letters.check(_LABEL, letters.read(text, CODE_LETTERS), SECRET_BITS, CHECK_BITS)
        return cls(number.to_bytes(SHEET_BYTES, "big"))

    @property
    def root(self) -> SigningKey:
        """The person's root key once the sheet is made."""
        return SigningKey(self.root_seed)

    @property
    def root_seed(self) -> bytes:
        """32 B."""
        return kdf(self.secret, "recovery-root")

    @property
    def kem(self) -> KemKey:
        """What each PUK generation is sealed to, beside the devices."""
        return KemKey(kdf(self.secret, "recovery-kem"))
