# SPDX-License-Identifier: EUPL-1.2
"""The sentences for the errors of smart cards (app/card/errors.py)."""

from app.core.i18n import tr
from ui.errors.row import Rows

CARDS: Rows = {
    "no-card-module": lambda: (
        tr("This computer has no library for smart cards."),
        tr("Kansli cannot ask a card here."),
        tr("Use another way. IT can install the library, or name it in the policy card-module."),
    ),
    "card-module": lambda: (
        tr("The library for smart cards does not work."),
        tr("It could not be loaded, or it broke off. Nothing has been opened or changed."),
        tr("Try again, or use another way. If it happens again, give IT support the code below."),
    ),
    "card-slow": lambda: (
        tr("The card did not answer in time."),
        tr("Nothing has been opened or changed."),
        tr("Take the card out, put it in again, and try again."),
    ),
    "card-busy": lambda: (
        tr("The card is being used already."),
        tr("Kansli asks a card one thing at a time. Nothing was tried."),
        tr("Wait a moment and try again."),
    ),
    "no-card": lambda: (
        tr("There is no card in the reader."),
        tr("Nothing has been opened or changed."),
        tr("Put your card into the reader and try again."),
    ),
    "wrong-card": lambda: (
        tr("This is not the card that was added."),
        tr("Nothing has been opened or changed, and the card has counted no wrong PIN."),
        tr("Put in the card that you added. If you have a new card, unlock in another way and add it under Settings."),
    ),
    "no-card-key": lambda: (
        tr("The card has no key that Kansli can use."),
        tr("Nothing has been changed."),
        tr("Use another card, or another way of unlocking."),
    ),
    "card-gone": lambda: (
        tr("The card was taken out."),
        tr("Nothing has been opened or changed."),
        tr("Leave the card in the reader and try again."),
    ),
    "wrong-card-pin": lambda: (
        tr("Wrong PIN for the card."),
        tr("Nothing has been opened or changed. A card locks itself after a few wrong PINs."),
        tr("Try again with the card's PIN, which is not Kansli's PIN."),
    ),
    "card-last-try": lambda: (
        tr("Wrong PIN for the card, and one try is left."),
        tr("Nothing has been opened or changed. After one more wrong PIN the card locks itself."),
        tr("Do not guess. Look the PIN up, or use another way."),
    ),
    "card-locked": lambda: (
        tr("The card is locked."),
        tr("Too many wrong PINs were given to it. Your content in Kansli is untouched."),
        tr("Use another way of unlocking. The office that issued the card can unlock it, often with a PUK code."),
    ),
    "card-refused": lambda: (
        tr("The card did not do what was asked of it."),
        tr("It was called off at the reader, or the card cannot do it. Nothing has been opened or changed."),
        tr("Try again, or use another way."),
    ),
}
