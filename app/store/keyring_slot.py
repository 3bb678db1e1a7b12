# SPDX-License-Identifier: EUPL-1.2
"""The operating system's key store: Secret Service, KWallet, Windows Credential Manager. Never a plain file.

A locked or missing key store is an error to show and to wait for; it never leads to wiping or logging out.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from app.core import log
from app.errors import KeyringLocked, NoKeyring

SERVICE = "Kansli"

T = TypeVar("T")

_SAFE = ("SecretService", "libsecret", "kwallet", "Windows", "macOS", "chainer", "fail", "null")
"""Modules under keyring.backends that count as a key store. Any other module (a plain file, say) counts as none."""


class Keyring(Protocol):
    """A backend of the `keyring` package, by which the operating system's key store is used: the three functions that
    read, write and delete the secret of an entry."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def system_keyring() -> Keyring:
    """The key store that the package `keyring` chose for this machine; one that refuses every call if there is none."""
    import keyring  # imported here: 40 ms of start and 4 MB, not needed by people who unlock with a passphrase

    return keyring.get_keyring()


def usable(backend: Keyring | None = None) -> bool:
    """Whether this computer has a key store that may be offered for unlocking; a plain file is none. Does not open it.
    `backend`: the system's if None."""
    backend = backend or system_keyring()
    module = type(backend).__module__
    if module.startswith("keyring.backends."):
        name = module.removeprefix("keyring.backends.")
        return name in _SAFE and name not in ("fail", "null") and bool(getattr(backend, "backends", True))
    return not module.startswith("keyrings.")


def asks_person(backend: Keyring | None = None) -> bool:
    """Whether the key store asks the person at each reading (for a finger, a face, a card), as its backend states by
    `asks_person`. The key stores that the systems have by themselves are silent once the person has signed in to the
    computer: they answer any program of that person. False if the key store may not be used. `backend`: the system's
    if None."""
    backend = backend or system_keyring()
    return usable(backend) and getattr(backend, "asks_person", False) is True


def get_secret(backend: Keyring, entry: str) -> bytes | None:
    """Reads the secret of 32 bytes named `entry` from the key store. None if there is no such entry, or if it is not
    hexadecimal. KeyringLocked if the key store is locked or does not answer, NoKeyring if there is none that may be
    used."""
    text = _ask(backend, lambda: backend.get_password(SERVICE, entry))
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def put_secret(backend: Keyring, entry: str, secret: bytes) -> None:
    """Stores `secret` (32 bytes) under the name `entry` and reads it back: some key stores fail in silence.
    KeyringLocked if the key store is locked or does not answer; NoKeyring if there is none that may be used, or if it
    does not return what was stored."""
    _ask(backend, lambda: backend.set_password(SERVICE, entry, secret.hex()))
    if get_secret(backend, entry) != secret:
        raise NoKeyring()


def delete_secret(backend: Keyring, entry: str) -> None:
    """Removes `entry` from the key store. A failure is only logged: the entry is useless without its slot file."""
    try:
        backend.delete_password(SERVICE, entry)
    except Exception as e:
        # any backend may raise its own errors here; the entry is useless without its slot file
        log.store.warning("keyring-entry-left", code=type(e).__name__)


def _ask(backend: Keyring, question: Callable[[], T]) -> T:
    if not usable(backend):
        raise NoKeyring()
    from keyring import errors

    try:
        return question()
    except errors.NoKeyringError as e:
        raise NoKeyring() from e
    except (errors.KeyringLocked, errors.InitError, errors.PasswordSetError) as e:
        raise KeyringLocked() from e
    except Exception as e:
        # D-Bus, ctypes and pywin32 errors are raised as they are: the store did not answer, so wait and ask
        log.store.warning("keyring", code=type(e).__name__)
        raise KeyringLocked() from e
