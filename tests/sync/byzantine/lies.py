# SPDX-License-Identifier: EUPL-1.2
"""Lies that replace honest answers, each for one device until the server is honest to it again; and histories that are
made from others. Hypothesis throws the `dice`, so that a lie can be repeated."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import msgspec

from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import Item
from tests.sync.byzantine.histories import renumbered, units
from tests.sync.byzantine.server import Face, Lie, Server

Change = Callable[[Server, Random, Face, m.Frame], list[m.Frame]]
CODES = (
    ErrorCode.STALE, ErrorCode.ROTATION_OWED, ErrorCode.CONFLICT, ErrorCode.FORBIDDEN, ErrorCode.INVALID,
    ErrorCode.BUSY, ErrorCode.UNKNOWN_ROOM, ErrorCode.QUOTA, ErrorCode.SEALS, ErrorCode.INTERNAL, ErrorCode.CLOSED,
)  # fmt: skip


def lie(name: str, server: Server, dice: Random) -> Lie:
    """The lie of this name. About every second time it lets the truth pass."""
    change = LIES[name] if name in LIES else _late()

    def lying(face: Face, asked: m.ClientFrame | None, frames: list[m.Frame]) -> list[m.Frame]:
        out: list[m.Frame] = []
        for frame in frames:
            out += change(server, dice, face, frame) if dice.random() < 0.6 else [frame]
        return out

    return lying


def _with(frame: m.Frame, **changes: object) -> list[m.Frame]:
    return [msgspec.structs.replace(frame, **changes)]


def _mute(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    return [frame] if isinstance(frame, m.ServerHello | m.Authed) else []


def _double(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    return [frame, frame]


def _late() -> Change:
    held: list[m.Frame] = []

    def swap(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
        if isinstance(frame, m.ServerHello | m.Authed) or (held and dice.random() < 0.5):
            out = [frame, *held]
            held.clear()
            return out
        held.append(frame)
        return []

    return swap


def _receipt(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """A receipt with a wrong position, a wrong hash or nobody's signature, of another room, or an old one."""
    if not isinstance(frame, m.Items | m.Fresh | m.Placed):
        return [frame]
    r = frame.receipt
    history = server.shown(face, r.room)
    other = dice.choice([h for histories in server.rooms.values() for h in histories])
    n = dice.randint(1, max(1, other.n))
    old = min(n, history.n) if history is not None else 0
    lies = [
        server.sign(r.room, r.n + dice.randint(1, 3), r.rh, r.t),
        server.sign(r.room, r.n, dice.randbytes(32), r.t),
        m.Receipt(r.room, r.n, r.rh, r.t, bytes(64)),
        server.receipt(other, other.n and n),
        server.receipt(history, old) if history is not None and old else r,
    ]
    return _with(frame, receipt=dice.choice(lies))


def _items(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """What `spoil` makes of the items, under the receipt of before."""
    if not isinstance(frame, m.Items | m.Fresh) or not frame.items:
        return [frame]
    history = server.shown(face, frame.room)
    past = history.items if history is not None else []
    others = [i for room, hs in server.rooms.items() if room != frame.room for i in hs[0].items]
    items = [Item.of(i) for i in frame.items]
    made = spoil(items, past, others, dice)
    return _with(frame, items=[m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in made])


def _contents(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """The content of a long room: nothing, an item in another's place, or wrong bytes."""
    if not isinstance(frame, m.ContentsReply) or not frame.items:
        return [frame]
    items = list(frame.items)
    at = dice.randrange(len(items))
    i, other = items[at], dice.choice(items)
    wrong = [
        m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None),
        m.WireItem(i.n, i.t, other.kind, other.body, other.sig, other.ct),
        m.WireItem(i.n, i.t, i.kind, i.body, i.sig, dice.randbytes(300)),
        m.WireItem(i.n, i.t + 1, i.kind, i.body, i.sig, i.ct),
    ]
    return _with(frame, items=[*items[:at], dice.choice(wrong), *items[at + 1 :]])


def _seals(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """No seals, or those of another person, epoch or room."""
    if not isinstance(frame, m.SealReply):
        return [frame]
    every = [s for hs in server.rooms.values() for h in hs for seals in h.seals.values() for s in seals]
    return _with(frame, seals=dice.choice([[], [dice.randbytes(1168)], dice.sample(every, min(4, len(every)))]))


def _shares(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    if not isinstance(frame, m.ShareReply | m.Items | m.Fresh):
        return [frame]
    wrong = [m.WireShare(s.obj, dice.randbytes(32)) for s in frame.shares]
    return _with(frame, shares=dice.choice([[], wrong]))


def _logs(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """No log, another person's, one that ends early, or one with nobody's signature."""
    if isinstance(frame, m.MovedLogsReply):
        return _with(frame, heads=[])
    if isinstance(frame, m.DirectoryReply):
        other = dice.choice(list(server.book.records))
        salt, record = server.book.records[other]
        return _with(frame, people=[msgspec.structs.replace(p, salt=salt, record=record) for p in frame.people])
    if not isinstance(frame, m.UserLogReply):
        return [frame]
    other = dice.choice(list(server.book.entries))
    another = [m.Signed(*e) for e in server.book.entries[other][frame.after + 1 :]]
    unsigned = [m.Signed(e.body, bytes(64)) for e in frame.entries]
    return _with(frame, entries=dice.choice([[], another, frame.entries[:-1], unsigned]))


def _heads(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """Rooms left out, at an earlier position, or with another hash; the own log as it was. Other positions at the
    beginning of a subscription, in which nothing is signed."""
    if isinstance(frame, m.Subscribed):
        return _with(frame, ns=[dice.choice([0, n, n, max(0, n - 1), n + 1]) for n in frame.ns])
    if not isinstance(frame, m.Authed):
        return [frame]
    heads = []
    for head in frame.rooms:
        history = server.shown(face, head.receipt.room)
        n = dice.randint(1, head.receipt.n)
        lower = server.receipt(history, n) if history is not None else head.receipt
        forked = server.sign(head.receipt.room, head.receipt.n, dice.randbytes(32), head.receipt.t)
        heads += dice.choice([[], [m.RoomHead(lower, 0, b"")], [m.RoomHead(forked, 0, b"")], [head]])
    seq = dice.randint(0, frame.ulog_seq)
    return _with(frame, rooms=heads, ulog_seq=seq, ulog_head=server.book.logs[face.uid].heads[seq])


def _refuse(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    rid = getattr(frame, "rid", 0)
    return [m.Error(rid, dice.choice(CODES))] if rid and not isinstance(frame, m.Authed) else [frame]


def _placed(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """A position of somebody's other item, with its true receipt."""
    if not isinstance(frame, m.Placed):
        return [frame]
    history = server.shown(face, frame.receipt.room)
    if history is None or history.n < frame.count:
        return [frame]
    first = dice.randint(1, history.n - frame.count + 1)
    return _with(frame, first=first, receipt=server.receipt(history, first + frame.count - 1))


def _over(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """Claims that the device is revoked, with some other person's log."""
    if not isinstance(frame, m.Authed):
        return [frame]
    entries = server.book.entries[dice.choice(list(server.book.entries))]
    return [m.Revoked(frame.rid, [m.Signed(*e) for e in entries])]


def _behind(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    rooms = list(server.rooms)
    if not rooms or isinstance(frame, m.ServerHello):
        return [frame]
    room = dice.choice(rooms)
    return [frame, dice.choice([m.Behind(room, 10**9), m.Removed(room, 10**6), m.LogMoved(10**6)])]


def _again(server: Server, dice: Random, face: Face, frame: m.Frame) -> list[m.Frame]:
    """The history from its beginning once more, with everything in it."""
    if not isinstance(frame, m.Fresh):
        return [frame]
    history = server.shown(face, frame.room)
    return [server.fresh(face, history, history.items), frame] if history is not None else [frame]


LIES: dict[str, Change] = {
    "mute": _mute,
    "double": _double,
    "receipt": _receipt,
    "items": _items,
    "contents": _contents,
    "seals": _seals,
    "shares": _shares,
    "logs": _logs,
    "heads": _heads,
    "refuse": _refuse,
    "placed": _placed,
    "over": _over,
    "behind": _behind,
    "again": _again,
}
NAMES = (*LIES, "late")


# -- histories ------------------------------------------------------------------------------------------------------

SPOILED = ("drop", "double", "swap", "replay", "transplant", "truncate", "strip", "flip", "unsigned", "early", "late")


def spoil(items: Sequence[Item], past: Sequence[Item], others: Sequence[Item], dice: Random) -> list[Item]:
    """Items with one error, numbered again from the first."""
    pieces = units(items)
    if not pieces:
        return list(items)
    at = dice.randrange(len(pieces))
    one = pieces[at]
    match dice.choice(SPOILED):
        case "drop":
            pieces[at : at + 1] = []
        case "double":
            pieces.insert(at, one)
        case "swap":
            pieces[at : at + 2] = reversed(pieces[at : at + 2])
        case "replay" if past:
            pieces.insert(at, dice.choice(units(past)))
        case "transplant" if others:
            pieces.insert(at, dice.choice(units(others)))
        case "truncate":
            pieces = pieces[:at]
        case "strip":
            pieces[at] = [replace(i, ct=None) for i in one]
        case "flip":
            pieces[at] = [replace(i, ct=i.ct[:-1] + bytes([i.ct[-1] ^ 1]) if i.ct else None) for i in one]
        case "unsigned":
            pieces[at] = [replace(i, sig=bytes(64) if i.sig else b"") for i in one]
        case "early":
            pieces[at] = [replace(i, t=1) for i in one]
        case _:
            pieces[at] = [replace(i, t=i.t + 10**9) for i in one]
    flat = [item for piece in pieces for item in piece]
    return renumbered(flat, items[0].n)
