# SPDX-License-Identifier: EUPL-1.2
"""Any value in any place of any format gives a verdict and no other exception, since a crash would stop a server."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync.client.account.account_secrets import Account
from sync.crypto.encoding import MAX_DEPTH, dec, enc
from sync.crypto.signatures import SigningKey
from sync.errors import BugError, NeedLog, Reject
from sync.ids import RoomId
from sync.trust.formats.items import Item, item_id
from sync.trust.person.agency import decode_record
from sync.trust.person.user_log import UserLog
from sync.trust.room import ephemeral
from sync.trust.room.blob_manifest import Manifest
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body, unpack
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import Book

VECTORS = Path(__file__).parents[2] / "vectors"
LIMIT = 1 << 20
ODD: tuple[object, ...] = (
    None, True, False, 0, 1, 2**63, 2**64 - 1, b"", b"\0" * 16, b"\xff" * 32, b"x" * 1216, "", "å", "genesis", [], [[]],
    [None], {}, {0: b""}, {2: b""}, {65536: b""}, {"history": "all"}, {"recovery": [[b"R" * 16, b"x" * 1216]]},
    {"format": {"ext": ["x"]}}, {"name": 1}, [b"x" * 16, 0, b"\0" * 32],
)  # fmt: skip


def load(name: str) -> Any:
    return json.loads((VECTORS / f"sync-1-{name}.json").read_text())


def odd_ones(value: object) -> list[object]:
    """Copies of the value, each with one place at any depth made odd."""
    out = [*ODD]
    if isinstance(value, list):
        out += [[*value[:i], odd, *value[i + 1 :]] for i, item in enumerate(value) for odd in odd_ones(item)]
        out += [value[:-1], [*value, None]]
    elif isinstance(value, dict):
        out += [{**value, key: odd} for key, item in value.items() for odd in odd_ones(item)]
    return out


def encodings(data: bytes) -> list[bytes]:
    out = []
    for odd in odd_ones(dec(data, limit=LIMIT)):
        with contextlib.suppress(BugError):  # deeper than anything can be
            out.append(enc(odd))
    return out


def only_verdicts(read: Callable[[bytes], object], data: bytes) -> int:
    """The number of odd forms that were refused; every other exception fails the test."""
    refused = 0
    for odd in encodings(data):
        try:
            read(odd)
        except (Reject, NeedLog):
            refused += 1
    return refused


@pytest.fixture(scope="module")
def room() -> Any:
    return load("room")


@pytest.mark.slow
def test_attack_odd_room_entries_get_a_verdict_at_a_client_and_at_the_server(room: Any) -> None:
    book, agency_pk = Book(), bytes.fromhex(room["agency_pk"])
    for p in room["people"]:
        log = UserLog.replay([(bytes.fromhex(b), bytes.fromhex(s)) for b, s in p["entries"]], agency_pk)
        book.logs[log.uid] = log
    stream = RoomStream(RoomId(bytes.fromhex(room["room"])))
    seen: set[str] = set()
    for i in room["items"]:
        batch = _batch(room["items"], i)
        item = batch[-1]
        kind = RoomEntry.decode(item.body).type if item.kind == 1 else "envelope"
        if item.sig and len(batch) == 1 and kind not in seen:
            seen.add(kind)
            _try_all(stream, item, book)
        if item.sig:
            stream.accept(batch, book, lambda n: bytes.fromhex(room["items"][n - 1]["rh"]))
    assert len(seen) == 16


def _try_all(stream: RoomStream, item: Item, book: Book) -> None:
    """Only an item of a device that its person's log does not know is accepted, and it is void; all other items are
    refused."""
    before = stream.to_bytes()
    for odd in encodings(item.body):
        if odd == item.body:
            continue
        try:
            other = RoomStream.from_bytes(before) if stream.n else RoomStream(stream._expected)
            taken = other.accept([Item(item.n, item.t, item.kind, odd, item.sig, item.ct)], book, lambda n: None)
            assert [a.void for a in taken] == ["forbidden"]
        except (Reject, NeedLog):
            assert stream.n == 0 or other.to_bytes() == before
        with pytest.raises((Reject, NeedLog)):
            stream.place(item.kind, [(odd, item.sig, item.ct)], item.t, book, lambda n: None)


@pytest.mark.slow
def test_attack_a_member_who_signs_odd_things_gets_a_verdict_too(room: Any) -> None:
    book, agency_pk = Book(), bytes.fromhex(room["agency_pk"])
    keys = {}
    for p in room["people"]:
        log = UserLog.replay([(bytes.fromhex(b), bytes.fromhex(s)) for b, s in p["entries"]], agency_pk)
        book.logs[log.uid] = log
        keys[bytes(log.uid)] = SigningKey(bytes.fromhex(p["sign_seed"]))
    stream, void = RoomStream(RoomId(bytes.fromhex(room["room"]))), set()

    def old_rh(n: int) -> bytes:
        return bytes.fromhex(room["items"][n - 1]["rh"])

    for i in room["items"]:
        batch = _batch(room["items"], i)
        item = batch[-1]
        if item.sig and len(batch) == 1:
            author = _author(item)
            for odd in encodings(item.body):
                sig = keys[author].sign("room-log" if item.kind == 1 else "op", item_id(item.kind, odd))
                other = RoomStream.from_bytes(stream.to_bytes()) if stream.n else RoomStream(stream._expected)
                with contextlib.suppress(Reject, NeedLog):
                    taken = other.accept([replace(item, body=odd, sig=sig)], book, old_rh)
                    void |= {a.void for a in taken}
        if item.sig:
            stream.accept(batch, book, old_rh)
    assert {None, "malformed", "format", "recipients", "forbidden", "ulog"} <= void


def _author(item: Item) -> bytes:
    return RoomEntry.decode(item.body).uid if item.kind == 1 else Header.decode(read_body(item.body)[0]).uid


def _batch(items: Any, tail: Any) -> list[Item]:
    """The batch that ends at an item, or the entry."""
    first = tail["n"]
    while first > 1 and items[first - 2]["kind"] == 2 and not items[first - 2]["sig"]:
        first -= 1
    out = []
    for i in items[first - 1 : tail["n"]]:
        ct = None if i["ct"] is None else bytes.fromhex(i["ct"])
        out.append(Item(i["n"], i["t"], i["kind"], bytes.fromhex(i["body"]), bytes.fromhex(i["sig"]), ct))
    return out


def test_attack_odd_payloads_are_read_or_refused(room: Any) -> None:
    for i in room["items"]:
        if i["kind"] == 1:
            only_verdicts(RoomEntry.decode, bytes.fromhex(i["body"]))
            only_verdicts(lambda b: RoomEntry.decode(b, lenient=True), bytes.fromhex(i["body"]))
    hdr, _, _ = read_body(bytes.fromhex(next(i for i in room["items"] if i["kind"] == 2)["body"]))
    assert only_verdicts(Header.decode, hdr) > 100


def test_attack_odd_user_entries_are_refused() -> None:
    v = load("person")
    log = UserLog(bytes.fromhex(v["agency_pk"]))
    for entry in v["entries"]:
        body, sig, head = bytes.fromhex(entry["body"]), bytes.fromhex(entry["sig"]), list(log.heads)
        for odd in encodings(body):
            if odd != body:
                with pytest.raises(Reject):
                    log.apply(odd, sig)
        assert log.heads == head
        log.apply(body, sig)


def test_attack_odd_small_formats_are_read_or_refused() -> None:
    v, person = load("pieces"), load("person")
    assert only_verdicts(ephemeral.read, bytes.fromhex(v["ephemeral"]["body"])) > 50
    assert only_verdicts(ephemeral.read, bytes.fromhex(v["ephemeral_to"]["body"])) > 50
    assert only_verdicts(Manifest.decode, bytes.fromhex(v["blob"]["manifest"])) > 50
    assert only_verdicts(unpack, bytes.fromhex(v["pack"]["hex"])) > 20
    assert only_verdicts(decode_record, bytes.fromhex(person["record"])) > 20
    assert only_verdicts(Account.decode, bytes.fromhex(person["account"])) > 50
    assert MAX_DEPTH == 8
