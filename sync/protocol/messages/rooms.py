# SPDX-License-Identifier: EUPL-1.2
"""Frames that write and read a room's stream."""

from sync.protocol.messages.frame import Frame, Receipt, RoomHead, Signed, WireItem, WireShare


class Append(Frame, frozen=True, tag="append"):
    """Appends entries to a room's log, all or none. Each names the hash of the entry before (compare-and-swap);
    CONFLICT if another entry was first. A new room begins with its genesis (who founded it) and epoch 1 (its first
    key). Answered by Placed."""

    rid: int
    room: bytes
    entries: list[Signed]


class Push(Frame, frozen=True, tag="push"):
    """A batch of this device's encrypted envelopes, with the shares (secrets) of objects that begin in it. Stored or
    refused whole. `bodies` are the envelopes, `cts` their ciphertexts, `sig` signs the last.

    Idempotent: for a batch that is stored already the server answers with its positions again.
    """

    rid: int
    room: bytes
    bodies: list[bytes]
    cts: list[bytes]
    sig: bytes
    shares: list[WireShare]


class Placed(Frame, frozen=True, tag="placed"):
    """The answer to Push and Append: the server has given the items the positions `first` to `first` + `count` − 1, at
    its time; the receipt is for the last of them."""

    rid: int
    first: int
    count: int
    receipt: Receipt


class Subscribe(Frame, frozen=True, tag="subscribe"):
    """Asks the server to send the new items of `rooms`, at most 1,000, from now on (`Fresh`). Answered by Subscribed.
    Ends with the connection or the membership."""

    rid: int
    rooms: list[bytes]


class Subscribed(Frame, frozen=True, tag="subscribed"):
    """The answer to Subscribe: for each of its rooms, in their order, the room's last position, read after its
    subscription had begun; 0 for a room of which the person is no member, or which does not exist."""

    rid: int
    ns: list[int]


class Pull(Frame, frozen=True, tag="pull"):
    """Asks for the items of a room after position `after`, in whole batches: about `limit_bytes` of them, but at least
    one entry or batch, if there is one. With `headers_only` they come without their content, which `Contents` asks
    for."""

    rid: int
    room: bytes
    after: int
    limit_bytes: int
    headers_only: bool = False


class Items(Frame, frozen=True, tag="items"):
    """The answer to Pull; no items if there is nothing newer. `shares` are the secrets of objects whose first change is
    among the items, as far as the server has them; the receipt is for the room's last position, or for a former member
    that of the entry that removed them."""

    rid: int
    room: bytes
    items: list[WireItem]
    shares: list[WireShare]
    receipt: Receipt


class Contents(Frame, frozen=True, tag="contents"):
    """Asks for the content of the single positions `ns` of a room, in rising order, at most 4,096 of them."""

    rid: int
    room: bytes
    ns: list[int]


class ContentsReply(Frame, frozen=True, tag="contents-reply"):
    """The answer to Contents: the items at the first of the requested positions, as many as fit and at least one."""

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
    """Server to a subscriber, instead of Fresh: the room has items up to position `n`, pull when ready. Sent if the
    subscriber is slow, if the items do not fit a frame, or if something beside the items is new, such as a seal for its
    person; then `n` may not have moved."""

    room: bytes
    n: int


class Joined(Frame, frozen=True, tag="joined"):
    """Server to a person's devices: the person was added to this room, whose last position `head` states."""

    head: RoomHead


class Removed(Frame, frozen=True, tag="removed"):
    """Server to a person's devices: the person is no longer a member of this room, by the entry at position `n`."""

    room: bytes
    n: int


class Ephemeral(Frame, frozen=True, tag="ephemeral"):
    """Sent both ways and never stored: presence, typing, carets. `body` is who sends what kind to whom (one device, or
    all that listen to `room`), when, and the hash of `ct`; `sig` is the device's signature over it, `ct` the encrypted
    content (protocol §9). The server reads `body`, and verifies no signature."""

    room: bytes
    body: bytes
    sig: bytes
    ct: bytes
