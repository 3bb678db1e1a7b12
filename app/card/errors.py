# SPDX-License-Identifier: EUPL-1.2
"""The errors of smart cards. The sentences are in ui/errors/.

WorldError
└── CardFault               NoCardModule · CardModuleFault · CardSlow · NoCard · WrongCard · NoCardKey · CardGone
                            WrongCardPin · LastCardTry · CardLocked · CardRefused · CardBusy
"""

from app.errors import WorldError


class CardFault(WorldError):
    """Error: the smart card did not give what was asked of it. Nothing in Kansli has changed."""


class NoCardModule(CardFault):
    """Error: this computer has no library for smart cards: policy names none, and the system has none of its own."""

    code = "no-card-module"


class CardModuleFault(CardFault):
    """Error: the library for smart cards cannot be loaded, crashed, or answered with nonsense."""

    code = "card-module"


class CardSlow(CardFault):
    """Error: the library for smart cards did not answer in time, and its process was ended."""

    code = "card-slow"


class CardBusy(CardFault):
    """Error: this program has a conversation with a card already. The card was not asked."""

    code = "card-busy"


class NoCard(CardFault):
    """Error: no reader has a card that asks for a PIN."""

    code = "no-card"


class WrongCard(CardFault):
    """Error: the card in the reader is not the one that was added, or its key was replaced."""

    code = "wrong-card"


class NoCardKey(CardFault):
    """Error: the card has no key that can decrypt (RSA of 2048 to 4096 bits) or agree on a secret (P-256, P-384,
    P-521), or the key did not do so when it was tested."""

    code = "no-card-key"


class CardGone(CardFault):
    """Error: the card was taken out while it was used."""

    code = "card-gone"


class WrongCardPin(CardFault):
    """Error: the card refuses the PIN."""

    code = "wrong-card-pin"


class LastCardTry(CardFault):
    """Error: the card refuses the PIN, and locks itself at the next wrong one."""

    code = "card-last-try"


class CardLocked(CardFault):
    """Error: the card has locked itself after too many wrong PINs: before the PIN was given, or because of this PIN."""

    code = "card-locked"


class CardRefused(CardFault):
    """Error: the card refused for a reason of its own: the person cancelled at the PIN pad, the PIN is not set or has
    expired, or the card failed."""

    code = "card-refused"


BY_CODE: dict[str, type[CardFault]] = {
    str(fault.code): fault
    for fault in (
        NoCardModule, CardModuleFault, CardSlow, NoCard, WrongCard, NoCardKey, CardGone, WrongCardPin, LastCardTry,
        CardLocked, CardRefused,
    )
}  # fmt: skip
"""The errors that the process of the card names by their codes."""
