# SPDX-License-Identifier: EUPL-1.2
"""The frames on the wire: frozen msgspec structs, tagged, encoded as msgpack.

Signed and sealed bodies are opaque bytes inside the frames and are kept verbatim. A request carries `rid`, which the
client chooses and which is unique on its connection; exactly one reply with the same `rid` follows. Either side may
send frames without `rid` at any time. sync/PROTOCOL.md §11 describes the same frames in prose.
"""

from enum import StrEnum

import msgspec


class ErrorCode(StrEnum):
    """Why the server refused a request. The codes are stable: clients and documents name them."""

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


class Frame(msgspec.Struct, frozen=True, array_like=True, tag_field="f", forbid_unknown_fields=True):
    """Base of every frame."""


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """A signed body, verbatim: a user-log or room entry."""

    body: bytes
    sig: bytes


class WireItem(msgspec.Struct, frozen=True, array_like=True):
    """One position of a room's stream.

    `kind` is 1 for an entry and 2 for an envelope. `sig` is empty inside a batch before its tail. `ct` is None for an
    entry, and for an envelope whose content was destroyed or pruned. `t` is in milliseconds since 1970, UTC.
    """

    n: int
    t: int
    kind: int
    body: bytes
    sig: bytes
    ct: bytes | None


class WireShare(msgspec.Struct, frozen=True, array_like=True):
    """The 32-byte share of an object."""

    obj: bytes
    share: bytes

    def __repr__(self) -> str:
        return f"WireShare({self.obj.hex()})"


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """The server's signature over `[room, n, rh_n, t_n]`: proof of a position."""

    room: bytes
    n: int
    rh: bytes
    t: int
    sig: bytes


class RoomHead(msgspec.Struct, frozen=True, array_like=True):
    """The newest position of a room, and this device's own last envelope there (dev_seq 0 and an empty id if it has
    none)."""

    receipt: Receipt
    dev_seq: int
    dev_head: bytes


# -- handshake ------------------------------------------------------------------------------------------------


class Hello(Frame, frozen=True, tag="hello"):
    """The first frame. `versions` is [lowest, highest] that the client speaks, `time` its clock in ms, `address` what
    it dialled. Version 1 had no address; the server still decodes such a frame, so that it can answer with the error
    "version"."""

    versions: tuple[int, int]
    nonce: bytes
    time: int
    agent: str
    address: str = ""


class ServerHello(Frame, frozen=True, tag="server-hello"):
    """The answer to Hello: the chosen version, nonce, clock, and which server this is.

    `server_cert` is `enc([server_pk, not_after_ms])` signed by the agency key under the domain "server". `proof` is the
    server key's signature over what `hello_proof` returns; it is empty if the dialled address is not one of the
    server's.
    """

    version: int
    nonce: bytes
    time: int
    agency_pk: bytes
    server_cert: Signed
    proof: bytes = b""


class Auth(Frame, frozen=True, tag="auth"):
    """Proves a device: SIG "auth" over `[server nonce, client nonce, agency fingerprint, address, uid, dev]`.

    `receipts` are the newest receipts that the client keeps, one per room.
    """

    rid: int
    uid: bytes
    dev: bytes
    address: str
    sig: bytes
    receipts: list[Receipt]


class Authed(Frame, frozen=True, tag="authed"):
    """The device is signed in: the head of its person's log, every room that the person is a member of, and the
    recovery requests that may still be vetoed.

    `restored` is the server's statement (trust/room/restore_notice.py) if it was ever restored from a backup; `closed`
    names the rooms that have been closed to writing since then.
    """

    rid: int
    ulog_seq: int
    ulog_head: bytes
    rooms: list[RoomHead]
    recovery_requests: "list[RecoveryRequest]" = []
    restored: Signed | None = None
    closed: list[bytes] = []


class Invite(Frame, frozen=True, tag="invite"):
    """Asks for the certificate and staff record of an activation code; allowed before Auth."""

    rid: int
    invite_pk: bytes


class InviteReply(Frame, frozen=True, tag="invite-reply"):
    """The agency's certificate of a one-time key, and the staff record that it binds.

    `cert` is `enc([invite_pk, H(enc(["staff", salt, record])), not_after_ms])`, signed by the agency, domain "invite".
    `record` is `enc({text: text})` with "name", "title", "unit". `here` is true if the agency invites a person whose
    account has not ended; enrolling by this code would then make a second account.
    """

    rid: int
    cert: Signed
    salt: bytes
    record: bytes
    here: bool = False


class Enrol(Frame, frozen=True, tag="enrol"):
    """Registers a new person with a genesis, a binding and PUK generation 1; allowed before Auth."""

    rid: int
    invite_pk: bytes
    entries: list[Signed]


class Ok(Frame, frozen=True, tag="ok"):
    """The request is done; the reply carries nothing more."""

    rid: int


class Error(Frame, frozen=True, tag="error"):
    """A refusal. rid 0 means the connection itself, which is then closed. `detail` names a field or position."""

    rid: int
    code: str
    detail: str = ""


class Revoked(Frame, frozen=True, tag="revoked"):
    """The answer to an Auth by a device that its person's log has ended. The connection then closes.

    `entries` is the log from its beginning up to the entry that ended the device. The server discloses no later entry.
    """

    rid: int
    entries: list[Signed]


# -- own devices ----------------------------------------------------------------------------------------------


class Devices(Frame, frozen=True, tag="devices"):
    """Asks for what the server knows about the person's own devices."""

    rid: int


class DeviceSeen(msgspec.Struct, frozen=True, array_like=True):
    """When a device was last signed in at the server (ms, 0 for never), and the program name that it gave."""

    dev: bytes
    last: int
    agent: str


class DevicesReply(Frame, frozen=True, tag="devices-reply"):
    rid: int
    devices: list[DeviceSeen]


class LogMoved(Frame, frozen=True, tag="log-moved"):
    """Server to a person's devices: their user log now has entries up to `seq`."""

    seq: int


class RecoveryRequest(msgspec.Struct, frozen=True, array_like=True):
    """A change that was requested with the recovery sheet and that any device of the person may veto until `ready`
    (ms).

    `what` is "add" for a new device and "revoke" for a device that is to be revoked; `dev` is that device. `vetoed_by`
    is the device that vetoed the request, or empty.
    """

    what: str
    dev: bytes
    ready: int
    vetoed_by: bytes


class RecoveryRequests(Frame, frozen=True, tag="recovery-requests"):
    """Server to a person's devices when it changes: all requests that may still be vetoed, an empty list for none."""

    requests: list[RecoveryRequest]


class Veto(Frame, frozen=True, tag="veto"):
    """A device vetoes a request. Answered by Ok, also if it was vetoed before or no such request is pending."""

    rid: int
    what: str
    dev: bytes


class RecoverLookup(Frame, frozen=True, tag="recover-lookup"):
    """Asks for the log whose root key is that of a recovery sheet, by an open invitation; allowed before Auth."""

    rid: int
    invite_pk: bytes
    root_pk: bytes
    after: int


class RecoverLookupReply(Frame, frozen=True, tag="recover-lookup-reply"):
    """The person, and their log's entries with seq > after, as many as fit."""

    rid: int
    person: "Person"
    entries: list[Signed]


class Recover(Frame, frozen=True, tag="recover"):
    """Recovers an account with the recovery sheet: a binding by this invitation, a `dev_add` by the root, then
    `dev_revoke`s by the root.

    Taken whole and at once if nobody may veto any more; otherwise the server notes it and answers with VetoPeriod.
    Allowed before Auth.
    """

    rid: int
    invite_pk: bytes
    uid: bytes
    entries: list[Signed]


class VetoPeriod(Frame, frozen=True, tag="veto-period"):
    """The request is noted. From `ready` (ms) on the server takes the same request, built on the log as it is then,
    unless it was vetoed."""

    rid: int
    ready: int


class PairOpen(Frame, frozen=True, tag="pair-open"):
    """Opens a box through which a new device may exchange messages with this one. `box` is 16 B from the pairing code;
    if it is empty, the server draws nine digits. A connection has one box at a time. The box closes with its
    connection, when its time is over, or when the connection opens another."""

    rid: int
    box: bytes


class PairOpened(Frame, frozen=True, tag="pair-opened"):
    """The box is open until `expires` (ms)."""

    rid: int
    box: bytes
    expires: int


class PairJoin(Frame, frozen=True, tag="pair-join"):
    """A new device joins a box, once; allowed before Auth. Refused with "code-unknown" or "code-used"."""

    rid: int
    box: bytes


class PairPost(Frame, frozen=True, tag="pair-post"):
    """A message to the other device in the box. Refused with "pairing" if there is none, or none any more."""

    rid: int
    data: bytes


class PairLeave(Frame, frozen=True, tag="pair-leave"):
    """Leaves the box, if any; the server notifies the other device."""

    rid: int


class PairMail(Frame, frozen=True, tag="pair-mail"):
    """Server to either device in the box: a message that the other one posted."""

    data: bytes


class PairEnd(Frame, frozen=True, tag="pair-end"):
    """Server to either device in the box: the other one has left, or the box's time is over."""


# -- people ---------------------------------------------------------------------------------------------------


class Directory(Frame, frozen=True, tag="directory"):
    """Looks people up by words of their record (`query`), or exactly (`uids`). At most 50 for a query."""

    rid: int
    query: str
    uids: list[bytes]


class Person(msgspec.Struct, frozen=True, array_like=True):
    """One person in the directory. The client checks record and salt against the user log's binding."""

    uid: bytes
    salt: bytes
    record: bytes
    ulog_seq: int
    ulog_head: bytes


class DirectoryReply(Frame, frozen=True, tag="directory-reply"):
    rid: int
    people: list[Person]


class UserLog(Frame, frozen=True, tag="user-log"):
    """Asks for a user log's entries with seq > after."""

    rid: int
    uid: bytes
    after: int


class UserLogReply(Frame, frozen=True, tag="user-log-reply"):
    rid: int
    uid: bytes
    after: int
    entries: list[Signed]


class UserAppend(Frame, frozen=True, tag="user-append"):
    """Appends entries to the sender's own log, all or none: compare-and-swap on prev, with CONFLICT for an entry that
    lost. Answered by Ok, or by VetoPeriod for a `dev_revoke` by the root that may still be vetoed."""

    rid: int
    entries: list[Signed]


class MovedLogs(Frame, frozen=True, tag="moved-logs"):
    """Asks which members' user logs have newer entries than the room has pinned."""

    rid: int
    room: bytes


class LogHead(msgspec.Struct, frozen=True, array_like=True):
    """The newest entry of a person's user log, as the server states it; the entries are the proof."""

    uid: bytes
    seq: int
    head: bytes


class MovedLogsReply(Frame, frozen=True, tag="moved-logs-reply"):
    rid: int
    heads: list[LogHead]


class MemberMoved(Frame, frozen=True, tag="member-moved"):
    """Server to a room's listeners: a member lost a device or their account. The listeners then send `MovedLogs`."""

    room: bytes


# -- rooms ----------------------------------------------------------------------------------------------------


class PutSeals(Frame, frozen=True, tag="put-seals"):
    """Uploads seals of an epoch before the entry that names `root`. They come in order; `start` is the index of the
    first."""

    rid: int
    room: bytes
    root: bytes
    start: int
    seals: list[bytes]


class Append(Frame, frozen=True, tag="append"):
    """Appends room entries, all or none: compare-and-swap on prev, with CONFLICT for an entry that lost. A new room
    begins with its genesis and epoch 1."""

    rid: int
    room: bytes
    entries: list[Signed]


class Push(Frame, frozen=True, tag="push"):
    """A batch of this device's envelopes, with the shares of objects that begin in it. Stored or refused whole.

    Idempotent: for a batch that is stored already the server answers with its positions again.
    """

    rid: int
    room: bytes
    bodies: list[bytes]
    cts: list[bytes]
    sig: bytes
    shares: list[WireShare]


class Placed(Frame, frozen=True, tag="placed"):
    """The batch has positions first..first+count-1, at time t; the receipt is for the last of them."""

    rid: int
    first: int
    count: int
    receipt: Receipt


class Subscribe(Frame, frozen=True, tag="subscribe"):
    """Asks for `Fresh` of the room from now on. Answered by Ok. Ends with the connection or the membership."""

    rid: int
    room: bytes


class Pull(Frame, frozen=True, tag="pull"):
    """Asks for items with n > after, at most `limit_bytes` of them. With `headers_only` they come without their
    content, which `Contents` asks for."""

    rid: int
    room: bytes
    after: int
    limit_bytes: int
    headers_only: bool = False


class Items(Frame, frozen=True, tag="items"):
    """The answer to Pull. `shares` are those of objects whose first op is among the items; the receipt is for the
    room's head."""

    rid: int
    room: bytes
    items: list[WireItem]
    shares: list[WireShare]
    receipt: Receipt


class Contents(Frame, frozen=True, tag="contents"):
    """Asks for the content of single positions in rising order, at most 4,096 of them."""

    rid: int
    room: bytes
    ns: list[int]


class ContentsReply(Frame, frozen=True, tag="contents-reply"):
    """The first of the requested positions, as many as fit and at least one."""

    rid: int
    items: list[WireItem]


class Fresh(Frame, frozen=True, tag="fresh"):
    """Server to subscribers: items just placed, contiguous. A client whose room is not at items[0].n - 1 pulls instead.
    Without items the frame carries shares that were lost and have been uploaded again."""

    room: bytes
    items: list[WireItem]
    shares: list[WireShare]
    receipt: Receipt


class Behind(Frame, frozen=True, tag="behind"):
    """Server to a slow subscriber, or one of a large room, instead of Fresh: the room's head moved, pull when ready."""

    room: bytes
    n: int


class Joined(Frame, frozen=True, tag="joined"):
    """Server to a person's devices: they were added to this room."""

    head: RoomHead


class Removed(Frame, frozen=True, tag="removed"):
    """Server to a person's devices: they are no longer a member, by the entry at position n."""

    room: bytes
    n: int


class SealRequest(Frame, frozen=True, tag="seal-request"):
    """Asks for the person's own seal of an epoch."""

    rid: int
    room: bytes
    epoch: int


class SealReply(Frame, frozen=True, tag="seal-reply"):
    """All seals for this person and epoch that the server holds, newest first. Any that matches kc is good."""

    rid: int
    seals: list[bytes]


class Reseal(Frame, frozen=True, tag="reseal"):
    """Uploads a seal of an epoch for one more recipient (a newcomer, a new PUK generation, a cannot_open)."""

    rid: int
    room: bytes
    epoch: int
    uid: bytes
    seal: bytes


class ShareRequest(Frame, frozen=True, tag="share-request"):
    rid: int
    room: bytes
    objs: list[bytes]


class ShareReply(Frame, frozen=True, tag="share-reply"):
    rid: int
    shares: list[WireShare]


class PutShare(Frame, frozen=True, tag="put-share"):
    """Uploads a lost share again; the share must match share_c."""

    rid: int
    room: bytes
    share: WireShare


class SharesWanted(Frame, frozen=True, tag="shares-wanted"):
    """Server to some of a room's listeners: the server has lost the shares of these objects, and a member needs them. A
    client that holds one uploads it again; the server then sends it to the listeners in a `Fresh` without items."""

    room: bytes
    objs: list[bytes]


# -- after a restore ------------------------------------------------------------------------------------------


class ReuploadLog(Frame, frozen=True, tag="reupload-log"):
    """Entries of a person's log, in order, that a restored server lacks, and the staff record with its salt if the
    sender has them (otherwise both are empty). Also allowed before Auth, since a restored server may not know the
    sending device any more. Answered by Ok, or refused: with "conflict" if the server's log differs, with "invalid" if
    the record is not the one that the log's newest binding names. To upload the record alone, the sender repeats the
    log's first entry."""

    rid: int
    entries: list[Signed]
    salt: bytes = b""
    record: bytes = b""


class LogHeads(Frame, frozen=True, tag="log-heads"):
    """Asks for the heads of persons' logs, at most 2,000; the reply leaves out persons that the server does not
    know."""

    rid: int
    uids: list[bytes]


class LogHeadsReply(Frame, frozen=True, tag="log-heads-reply"):
    """`lacking` are those among `heads` whose staff record the server does not have."""

    rid: int
    heads: list[LogHead]
    lacking: list[bytes]


class Promise(Frame, frozen=True, tag="promise"):
    """To a restored server: what a room held after a position. `stubs` are `u64 t ‖ u8 kind ‖ id 32` each, 41 B, of the
    positions after+1 …. More may follow in the next frame; the last frame has the server's own receipt for the last
    position, which proves all of them."""

    rid: int
    room: bytes
    after: int
    stubs: bytes
    receipt: Receipt | None


class Reupload(Frame, frozen=True, tag="reupload"):
    """Items of positions that were proven by Promise, in whole batches, with the shares of objects that begin in
    them."""

    rid: int
    room: bytes
    items: list[WireItem]
    shares: list[WireShare]


class Wanted(Frame, frozen=True, tag="wanted"):
    """The answer to Promise and Reupload: the room's head now (None if the server does not have the room), and the last
    position that is proven and not yet uploaded, 0 if there is none."""

    rid: int
    receipt: Receipt | None
    until: int


class ReuploadDone(Frame, frozen=True, tag="reupload-done"):
    """This device has proven and uploaded everything it has: the server need not wait for it any more. Answered by
    Ok."""

    rid: int


class RestoreProgress(Frame, frozen=True, tag="restore-progress"):
    """Server to members: the head of a closed room now, with `until` as in Wanted. With `open` the room takes writing
    again."""

    receipt: Receipt
    until: int
    open: bool


class Ephemeral(Frame, frozen=True, tag="ephemeral"):
    """Sent both ways and never stored: presence, typing, carets. `body` is the signed array, `ct` is encrypted
    (protocol §9)."""

    room: bytes
    body: bytes
    sig: bytes
    ct: bytes


class Escrow(Frame, frozen=True, tag="escrow"):
    """Asks for the key to which the share of a recovery sheet is sealed."""

    rid: int


class EscrowReply(Frame, frozen=True, tag="escrow-reply"):
    """`cert` is `enc([escrow_pk])` signed by the agency key under the domain "escrow"."""

    rid: int
    cert: Signed


class BlobToken(Frame, frozen=True, tag="blob-token"):
    """Asks for a bearer token for HTTP PUT and GET of /v1/blobs/{room}/{obj}/{part}, ids in hex."""

    rid: int


class BlobTokenReply(Frame, frozen=True, tag="blob-token-reply"):
    rid: int
    bearer: str
    expires: int


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
