# SPDX-License-Identifier: EUPL-1.2
"""The codes with which the server refuses a request."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why the server refused a request, as the `code` of an Error frame. The codes are stable: clients and documents
    name them."""

    MALFORMED = "malformed"
    OVERSIZE = "oversize"
    VERSION = "version"
    CLIENT_OLD = "client-old"
    AUTH = "auth"
    CLOCK = "clock"
    UNKNOWN_USER = "unknown-user"
    UNKNOWN_ROOM = "unknown-room"
    FORBIDDEN = "forbidden"
    STALE = "stale"
    ROTATION_OWED = "rotation-owed"
    CONFLICT = "conflict"
    INVALID = "invalid"
    SEALS = "seals"
    QUOTA = "quota"
    BUSY = "busy"
    FULL = "full"
    CODE_UNKNOWN = "code-unknown"
    CODE_USED = "code-used"
    CODE_EXPIRED = "code-expired"
    CODE_WITHDRAWN = "code-withdrawn"
    PAIRING = "pairing"
    RECOVERY_SHEET_UNKNOWN = "recovery-sheet-unknown"
    OTHER_PERSON = "other-person"
    VETOED = "vetoed"
    CLOSED = "closed"
    TOO_MANY_ROOMS = "too-many-rooms"
    UNANSWERED = "unanswered"
    BLOB_MISSING = "blob-missing"
    INTERNAL = "internal"
