# SPDX-License-Identifier: EUPL-1.2
"""What this device does at a server that does not know it: an enrolment that was cut off is registered, and a server
that was restored from a backup gets the own log back."""

import asyncio
import logging

from sync.client.account.enrolment import FIRST_ENTRIES, converse, register
from sync.client.link import Link
from sync.client.restore.reupload import upload_log
from sync.client.wire.backoff import STUCK_RETRY_S
from sync.client.wire.dialled_address import ServerLine
from sync.errors import SyncError, Unreachable
from sync.protocol.messages import ErrorCode
from sync.trust.person.agency import agency_fingerprint

log = logging.getLogger("sync")

_CODE_SPENT = (ErrorCode.CODE_USED, ErrorCode.CODE_EXPIRED, ErrorCode.CODE_WITHDRAWN)


class UnknownAccount:
    """What to do when the server refuses the sign-in because it does not know this account: registers it, if the
    enrolment was cut off, or uploads its key log, since the server may have been restored from a backup. Each attempt
    is over a connection of its own."""

    def __init__(self, link: Link, line: ServerLine) -> None:
        self._link, self._line = link, line
        self._known = False
        self._return_at = 0.0
        self.code_spent: str | None = None
        """Why the invitation of the enrolment that was cut off is worth nothing any more, or None."""

    def note_known(self) -> None:
        """The server has accepted a sign-in: there is no enrolment to finish."""
        self._known = True

    async def make_known(self) -> bool:
        """Call it when the server refused the sign-in because it does not know this device. Registers the account if
        its enrolment was cut off; otherwise, or if that fails, uploads its log, in case the server was restored.
        Returns True if the server took either: the engine should sign in again. False otherwise; an error of the server
        or the connection is only logged."""
        return await self._finish_enrolment() or await self._return_log()

    async def _finish_enrolment(self) -> bool:
        """▲ Registers an account whose enrolment was cut off before the server's answer. Returns True if the server
        took it: the engine should sign in again. An error of the server or the connection is logged, and False
        returned; `code_spent` then has the error's code if the invitation can never be used again, otherwise None.

        Only for an account that was never in a room, whose log has only the entries of the enrolment, and whose sign-in
        no server has accepted since the start; False for any other. The server answers Ok again if it has the same
        entries.
        """
        account, ports = self._link.account, self._link.ports
        entries = ports.user_log(account.uid)
        if self._known or self._link.rooms or len(entries) != FIRST_ENTRIES:
            return False
        try:
            await register(self._line, account.agency_pk, entries, self._link.now_ms)
        except SyncError as e:
            log.warning("not registered: %s", e.code)
            self.code_spent = e.code if e.code in _CODE_SPENT else None
            return False
        self._known = True
        log.info("registered")
        return True

    async def _return_log(self) -> bool:
        """Uploads this person's own key log and staff record to a server that does not know this device any more.
        Returns True if the server took them: the engine should sign in again. Only a restored server takes them.
        Otherwise False; an error of the server or the connection is only logged. At most one attempt in STUCK_RETRY_S;
        a call before that returns False at once. An attempt that did not reach the server does not count."""
        now = asyncio.get_running_loop().time()
        if now < self._return_at:
            return False
        self._return_at = now + STUCK_RETRY_S
        account = self._link.account
        entries, fingerprint = self._link.ports.user_log(account.uid), agency_fingerprint(account.agency_pk)
        staff = self._link.book.staff(account.uid)
        try:
            await converse(self._line, fingerprint, self._link.now_ms, lambda c: upload_log(c, entries, staff))
        except SyncError as e:
            log.info("the server did not take the own log: %s", e.code)
            if isinstance(e, Unreachable):  # the server did not refuse
                self._return_at = 0.0
            return False
        log.warning("the server has accepted this person's log again")
        return True
