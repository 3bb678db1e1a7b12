# SPDX-License-Identifier: EUPL-1.2
"""Sentences about unlocking: passphrases, the key store, the profile that holds the account."""

from app.core.i18n import tr
from ui.errors.row import Rows

UNLOCKING: Rows = {
    "wrong-passphrase": lambda: (
        tr("Wrong passphrase."),
        tr("Nothing has been opened or changed."),
        tr("Try again. Check Caps Lock and the keyboard's language."),
    ),
    "keyring-locked": lambda: (
        tr("The computer's key store is locked."),
        tr("Kansli cannot fetch its key until it is open."),
        tr("Unlock the key store and try again, or use your passphrase."),
    ),
    "no-keyring": lambda: (
        tr("This computer has no key store that Kansli can use."),
        tr("The key cannot be kept by the computer."),
        tr("Choose a passphrase instead."),
    ),
    "not-enrolled": lambda: (
        tr("No account was created on this computer."),
        tr("The program ended before the keys were kept. Nothing has been lost."),
        tr("Begin anew with your activation code, or ask for a new one."),
    ),
    "no-slot": lambda: (
        tr("This way of unlocking has not been set up."),
        tr("Your data is untouched."),
        tr("Unlock in the other way, and add this one under Settings."),
    ),
    "slot-damaged": lambda: (
        tr("The file that holds the key is damaged."),
        tr("Your data is untouched but cannot be opened this way."),
        tr("Unlock in another way if you have one, or contact IT support."),
    ),
    "weak-passphrase": lambda: (
        tr("The passphrase is too short or too easy to guess."),
        tr("Nothing has been changed."),
        tr("Choose a longer one, for example four words that have nothing to do with each other."),
    ),
    "wrong-pin": lambda: (
        tr("Wrong PIN."),
        tr("Kansli is still locked."),
        tr("Try again, or use the passphrase."),
    ),
    "weak-pin": lambda: (
        tr("The PIN cannot be used."),
        tr("Nothing has been changed."),
        tr("Choose digits that are no row, no repetition and no date."),
    ),
    "pin-waits": lambda: (
        tr("The PIN has to wait."),
        tr("Several PINs in a row were wrong, so this one was not tried."),
        tr("Wait, or use the passphrase."),
    ),
    "pin-spent": lambda: (
        tr("Too many wrong PINs."),
        tr("Kansli closes. What was written is kept."),
        tr("Unlock with the passphrase."),
    ),
    "slot-forbidden": lambda: (
        tr("Your organisation does not allow this way of unlocking."),
        tr("Nothing has been changed."),
        tr("Choose another way."),
    ),
    "last-slot": lambda: (
        tr("This is the only way to unlock."),
        tr("Without it nobody could open your data again."),
        tr("Add another way first."),
    ),
    "profile-in-use": lambda: (
        tr("Kansli is already running with this account."),
        tr("Two windows cannot use the same data at once."),
        tr("Switch to the open window, or close it first."),
    ),
    "bad-profile-name": lambda: (
        tr("The profile's name cannot be used."),
        tr("It would not work as a folder on every computer."),
        tr("Use letters a–z, digits, hyphen or full stop, at most 40."),
    ),
}
