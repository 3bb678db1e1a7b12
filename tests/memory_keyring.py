# SPDX-License-Identifier: EUPL-1.2
"""A computer's key store in memory, for tests: it can be locked, and it can forget."""

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked as BackendLocked


class MemoryKeyring(KeyringBackend):
    """`locked` refuses everything; `forgetful` takes entries and keeps none."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False
        self.forgetful = False

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        if not self.forgetful:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.entries[service, username]

    def _check(self) -> None:
        if self.locked:
            raise BackendLocked("locked")
