# SPDX-License-Identifier: EUPL-1.2
"""The refusal of a request by a rule, which becomes an Error frame. It carries a stable code and the name of a field,
never content."""

from sync.errors import Reject, WorldError
from sync.protocol.messages import ErrorCode

_FROM_TRUST = {
    "stale": ErrorCode.STALE,
    "chain": ErrorCode.STALE,  # an envelope that does not follow the device's last: sync first, then encrypt again
    "epoch-missing": ErrorCode.STALE,
    "recipients": ErrorCode.STALE,  # an envelope placed meanwhile moved a pin: no entry, so no conflict showed it
    "revoked": ErrorCode.FORBIDDEN,
    "last-owner": ErrorCode.FORBIDDEN,
    "rotation-owed": ErrorCode.ROTATION_OWED,
    "forbidden": ErrorCode.FORBIDDEN,
    "conflict": ErrorCode.CONFLICT,
    "oversize": ErrorCode.OVERSIZE,
    "total": ErrorCode.QUOTA,
    "seals": ErrorCode.SEALS,
}


class Refusal(WorldError):
    """Raised to refuse one request; the client gets `code` and `detail`, which names a field or a number. With `fatal`
    the connection ends too."""

    def __init__(self, code: ErrorCode, detail: str = "", *, fatal: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.fatal = fatal


def refusal_of(reject: Reject) -> Refusal:
    """The refusal that a Reject of sync/trust becomes on the wire."""
    return Refusal(_FROM_TRUST.get(reject.code, ErrorCode.INVALID), f"{reject.code} {reject.where}".strip())
