# SPDX-License-Identifier: EUPL-1.2
"""The port through which the judging of a room reads the user logs of its authors."""

from typing import Protocol

from sync.ids import Uid
from sync.trust.person.user_log import UserLog


class UserBook(Protocol):
    """The verified user logs that are available on this computer. `log` returns a person's log, or None if it is not
    here."""

    def log(self, uid: Uid) -> UserLog | None: ...
