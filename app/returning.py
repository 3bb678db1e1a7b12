# SPDX-License-Identifier: EUPL-1.2
"""Somebody on their way back by the recovery sheet, before there is an account on this device."""

from dataclasses import dataclass, field, replace

from app.core.i18n import tr
from sync.client.recovery import Attempt
from sync.client.recovery import Returning as Looked
from sync.protocol.messages import ErrorCode
from sync.trust.agency import agency_fingerprint

FINAL = frozenset(
    (
        "reset",
        "sheet",
        ErrorCode.SHEET_UNKNOWN,
        ErrorCode.OTHER_PERSON,
        ErrorCode.CODE_UNKNOWN,
        ErrorCode.CODE_USED,
        ErrorCode.CODE_EXPIRED,
    )
)
"""The server's no that stays a no: what was made here goes. A veto may turn out to be void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Whose sheet it is, by log and agency; `others` of their devices are still active."""

    name: str
    title: str
    unit: str
    agency: str
    server: str
    others: int


def back(found: Looked, server: str) -> Back:
    """As the interface shows it."""
    fingerprint = agency_fingerprint(found.agency)[:8].hex(" ", 2)
    return Back(
        name=found.record["name"],
        title=found.record.get("title", ""),
        unit=found.record.get("unit", ""),
        agency=tr("Agency key {fingerprint}").format(fingerprint=fingerprint),
        server=server,
        others=len(found.others),
    )


@dataclass(slots=True)
class Returning:
    """One attempt; `key` is the store's once the attempt is kept there."""

    attempt: Attempt
    key: bytes | None = field(default=None, repr=False)

    def same(self, attempt: Attempt) -> bool:
        """Whether the same two codes were typed again."""
        return (self.attempt.code, self.attempt.sheet) == (attempt.code, attempt.sheet)

    def with_choice(self, *, revoke: bool) -> "Returning":
        """With what was chosen of the other devices."""
        return Returning(replace(self.attempt, revoke=revoke))
