# SPDX-License-Identifier: EUPL-1.2
"""What judging a room needs from outside it: the user logs of its authors."""

from typing import Protocol

from sync.ids import Uid
from sync.trust.person.user_log import UserLog


class UserBook(Protocol):
    """Everybody's verified user logs, as far as they are at hand."""

    def log(self, uid: Uid) -> UserLog | None: ...
