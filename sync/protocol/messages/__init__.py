# SPDX-License-Identifier: EUPL-1.2
"""The frames on the wire: frozen msgspec structs, tagged, encoded as msgpack.

Signed and sealed bodies are opaque bytes inside the frames and are kept verbatim. A request carries `rid`, which the
client chooses and which is unique on its connection; exactly one reply with the same `rid` follows. Either side may
send frames without `rid` at any time. sync/PROTOCOL.md §11 describes the same frames in prose.

Each section has its module; all names are exported here, and the two unions say which side sends what.
"""

from sync.protocol.messages.blobs import (
    BlobToken,
    BlobTokenReply,
)
from sync.protocol.messages.devices import (
    Devices,
    DeviceSeen,
    DevicesReply,
    LogMoved,
)
from sync.protocol.messages.error_code import (
    ErrorCode,
)
from sync.protocol.messages.frame import (
    Frame,
    Receipt,
    RoomHead,
    Signed,
    WireItem,
    WireShare,
)
from sync.protocol.messages.handshake import (
    Auth,
    Authed,
    Enrol,
    Error,
    Hello,
    Invite,
    InviteReply,
    Ok,
    Revoked,
    ServerHello,
)
from sync.protocol.messages.pairing import (
    PairEnd,
    PairJoin,
    PairLeave,
    PairMail,
    PairOpen,
    PairOpened,
    PairPost,
)
from sync.protocol.messages.people import (
    Directory,
    DirectoryReply,
    KnownLog,
    LogHead,
    MemberMoved,
    MovedLogs,
    MovedLogsReply,
    Person,
    UserAppend,
    UserLog,
    UserLogReply,
)
from sync.protocol.messages.recovery import (
    Escrow,
    EscrowReply,
    Recover,
    RecoverLookup,
    RecoverLookupReply,
    RecoveryRequest,
    RecoveryRequests,
    Veto,
    VetoPeriod,
)
from sync.protocol.messages.restore import (
    LogHeads,
    LogHeadsReply,
    Promise,
    RestoreProgress,
    Reupload,
    ReuploadDone,
    ReuploadLog,
    Wanted,
)
from sync.protocol.messages.room_keys import (
    PutSeals,
    PutShare,
    Reseal,
    SealReply,
    SealRequest,
    ShareReply,
    ShareRequest,
    SharesWanted,
)
from sync.protocol.messages.rooms import (
    Append,
    Behind,
    Contents,
    ContentsReply,
    Ephemeral,
    Fresh,
    Items,
    Joined,
    Placed,
    Pull,
    Push,
    Removed,
    Subscribe,
    Subscribed,
)

__all__ = [
    "Append", "Auth", "Authed", "Behind", "BlobToken", "BlobTokenReply", "ClientFrame", "Contents", "ContentsReply",
    "DeviceSeen", "Devices", "DevicesReply", "Directory", "DirectoryReply", "Enrol", "Ephemeral", "Error",
    "ErrorCode", "Escrow", "EscrowReply", "Frame", "Fresh", "Hello", "Invite", "InviteReply", "Items", "Joined",
    "KnownLog", "LogHead", "LogHeads", "LogHeadsReply", "LogMoved", "MemberMoved", "MovedLogs", "MovedLogsReply",
    "Ok", "PairEnd", "PairJoin", "PairLeave", "PairMail", "PairOpen", "PairOpened", "PairPost", "Person", "Placed",
    "Promise", "Pull", "Push", "PutSeals", "PutShare", "Receipt", "Recover", "RecoverLookup", "RecoverLookupReply",
    "RecoveryRequest", "RecoveryRequests", "Removed", "Reseal", "RestoreProgress", "Reupload", "ReuploadDone",
    "ReuploadLog", "Revoked", "RoomHead", "SealReply", "SealRequest", "ServerFrame", "ServerHello", "ShareReply",
    "ShareRequest", "SharesWanted", "Signed", "Subscribe", "Subscribed", "UserAppend", "UserLog", "UserLogReply",
    "Veto", "VetoPeriod", "Wanted", "WireItem", "WireShare",
]  # fmt: skip

ClientFrame = (
    Hello
    | Auth
    | Invite
    | Enrol
    | Directory
    | UserLog
    | UserAppend
    | Veto
    | RecoverLookup
    | Recover
    | Devices
    | PairOpen
    | PairJoin
    | PairPost
    | PairLeave
    | MovedLogs
    | PutSeals
    | Append
    | Push
    | Subscribe
    | Pull
    | Contents
    | SealRequest
    | Reseal
    | ShareRequest
    | PutShare
    | Ephemeral
    | Escrow
    | BlobToken
    | LogHeads
    | ReuploadLog
    | Promise
    | Reupload
    | ReuploadDone
)
ServerFrame = (
    ServerHello
    | Authed
    | Revoked
    | DevicesReply
    | LogMoved
    | MemberMoved
    | RecoveryRequests
    | RecoverLookupReply
    | VetoPeriod
    | PairOpened
    | PairMail
    | PairEnd
    | MovedLogsReply
    | InviteReply
    | Ok
    | Error
    | DirectoryReply
    | UserLogReply
    | Placed
    | Items
    | ContentsReply
    | Fresh
    | Subscribed
    | Behind
    | Joined
    | Removed
    | SealReply
    | ShareReply
    | SharesWanted
    | Ephemeral
    | EscrowReply
    | BlobTokenReply
    | LogHeadsReply
    | Wanted
    | RestoreProgress
)
