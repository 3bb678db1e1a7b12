# SPDX-License-Identifier: EUPL-1.2
"""What the fuzzer begins with: the vectors of version 1, and one good example of what they do not have in sync/."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import Hash, RoomId, Uid
from sync.server.operator.offline_invites import encode_invitations
from sync.server.store.base import InviteRow
from sync.trust.formats.items import ENTRY, Item
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.user_log import UserLog
from sync.trust.room.stream import RoomStream
from tests.sync.trust.people import Book

FOLDER = Path(__file__).parents[1] / "vectors"
NOW = 1_795_000_000_000
LIMIT = 1 << 20


@cache
def load(name: str) -> Any:
    return json.loads((FOLDER / f"sync-1-{name}.json").read_text())


def raw(value: str) -> bytes:
    return bytes.fromhex(value)


# -- people


def person() -> Any:
    return load("person")


def entries(told: Any) -> list[tuple[bytes, bytes]]:
    return [(raw(e["body"]), raw(e["sig"])) for e in told["entries"]]


def user_entries() -> list[bytes]:
    return [body for body, _ in entries(person())]


ROOT_ROTATED = 6
"""The entry after which the second root signs."""


def person_keys() -> dict[bytes | str | None, SigningKey]:
    """Who may sign in the vectors' log, by the `by` of an entry."""
    told, seeds = person(), person()["device_seeds"]
    code = SignInCode.parse(told["sign_in_code"])
    return {
        "root": SigningKey(raw(seeds["root"])),
        "second root": SigningKey(bytes([7]) * 32),
        "agency": SigningKey(raw(told["agency_seed"])),
        raw(told["dev"]): SigningKey(raw(seeds["sign"])),
        raw(told["second_device"]["dev"]): SigningKey(bytes([4]) * 32),
        H("invite", code.key.public)[:16]: code.key,
    }


@cache
def agency() -> Agency:
    return Agency(raw(person()["agency_seed"]))


def staff_records() -> list[bytes]:
    return [raw(person()["record"])]


def certificates() -> list[bytes]:
    certs = [raw(person()[name][0]) for name in ("invite_cert", "server_cert", "escrow_cert")]
    return [*certs, enc([1, bytes(32), NOW, NOW, bytes(16)])]


def share_requests() -> list[bytes]:
    return [raw(person()["share_request"])]


def invitation_files() -> list[bytes]:
    salt, record = bytes(16), staff_records()[0]
    invite_pk = SignInCode(bytes(16), bytes(16)).key.public
    body, sig = agency().certify_invite(invite_pk, record_hash(salt, record), NOW + 1)
    row = InviteRow(invite_pk=invite_pk, cert_body=body, cert_sig=sig, salt=salt, record=record, not_after=NOW + 1)
    return [encode_invitations(agency().pk, [row])]


def codes() -> list[bytes]:
    told = load("pairing")
    sheet, back = told["recovery_sheet"], load("recovery")["attempt_code"]
    texts = (person()["sign_in_code"], told["by_code"]["code"], sheet["code"], sheet["share"], back)
    return [text.encode() for text in texts] + [b"il0o-\xc3\xa5"]


def old_device() -> list[object]:
    genesis, record = Hash(bytes([5] * 32)), encode_record({"name": "Registrator"})
    return [Uid(genesis[:16]), genesis, 3, bytes([6] * 32), bytes([1] * 16), KemKey(bytes(32)).public, record]


def pairing_messages() -> list[bytes]:
    """One byte that says which message and way (from 8 on: after the log has moved), then its plain bytes."""
    new = [SigningKey(bytes([3] * 32)).public, KemKey(bytes([4] * 32)).public, "Dator", "Debian"]
    plain = [
        enc([1, new]), enc([1, bytes(32)]), enc([1, old_device(), b""]), enc([1, old_device(), bytes(32)]),
        enc([1, bytes(64)]), enc([1, bytes(64), bytes(32), bytes(1400)]), enc([1, 4, bytes(16)]),
        enc([1, bytes(64)]), enc([1, bytes(64)]), enc([1, 4, bytes(32)]), enc([1, 4, bytes(32)]),
    ]  # fmt: skip
    kinds = (1, 0, 3, 2, 5, 4, 6, 13, 12, 15, 14)
    return [bytes((which,)) + message for which, message in zip(kinds, plain, strict=True)]


# -- a room


class Story:
    """The vectors' room: each item that is signed by itself, and the state before it."""

    def __init__(self) -> None:
        told = load("room")
        self._told = told
        self.book = Book()
        for p in told["people"]:
            log = UserLog.replay([(raw(b), raw(s)) for b, s in p["entries"]], raw(told["agency_pk"]))
            self.book.logs[log.uid] = log
        self._keys = {raw(p["dev"]): SigningKey(raw(p["sign_seed"])) for p in told["people"]}
        self.items: list[Item] = []
        self.states: list[bytes] = []
        stream, waiting = RoomStream(RoomId(raw(told["room"]))), []
        for item in room_stream_items():
            waiting.append(item)
            if not item.sig:
                continue
            if len(waiting) == 1:
                self.items.append(item)
                self.states.append(stream.to_bytes())
            stream.accept(waiting, self.book)
            waiting = []
        self.length = len(self.items)

    def signer(self, value: Any, kind: int) -> SigningKey:
        """The key of the device that a changed body names; of anybody if it names none."""
        try:
            dev = value[5] if kind == ENTRY else dec(value[0], limit=LIMIT)[4]  # type: ignore[index]
            return self._keys[dev]
        except Exception:
            return next(iter(self._keys.values()))

    def keys(self, e: int) -> tuple[bytes, bytes]:
        """K and A of an epoch."""
        k, a = self._told["epoch_keys"][str(e)]
        return raw(k), raw(a)


def room_stream_items() -> list[Item]:
    told = load("room")["items"]
    return [
        Item(i["n"], i["t"], i["kind"], raw(i["body"]), raw(i["sig"]), None if i["ct"] is None else raw(i["ct"]))
        for i in told
    ]


def room_items() -> list[bytes]:
    story = Story()
    return [bytes((at,)) + item.body for at, item in enumerate(story.items)]


def room_entries() -> list[bytes]:
    return [item.body for item in room_stream_items() if item.kind == ENTRY]


def envelopes() -> list[bytes]:
    return [item.body for item in room_stream_items() if item.kind != ENTRY]


def headers() -> list[bytes]:
    return [dec(body, limit=LIMIT)[0] for body in envelopes()]  # type: ignore[index]


def epochs() -> list[bytes]:
    members = [member for body in room_entries() for member in dec(body, limit=LIMIT)[10]]  # type: ignore[index]
    return [enc(member) for member in members if isinstance(member, list) and len(member) == 10]


def links() -> list[bytes]:
    return [enc([bytes(32), {4: bytes(32)}]), enc([bytes(32), {1: None, 2: bytes(32), 3: None, 4: bytes(32)}])]


def seals() -> list[bytes]:
    return [bytes(32), bytes(64), raw(load("room")["seals"][0]["sealed"])]


def payloads() -> list[bytes]:
    return [raw(load("pieces")["pack"]["hex"]), enc([[bytes(16), b""]])]


def notes() -> list[bytes]:
    return [enc([1, load("room")["reason"]]), enc([1, ""])]


def padded() -> list[bytes]:
    return [raw(load("pieces")["padded"]), bytes(256), (600).to_bytes(4, "big") + bytes(1020)]


def manifests() -> list[bytes]:
    return [raw(load("pieces")["blob"]["manifest"])]


def states() -> list[bytes]:
    told = load("states")
    return [
        enc([1, bytes(16), 0, 1, raw(told["hash"]), raw(told["whole"])]),
        enc([1, raw(told["obj"]), told["covers"], raw(told["snapshot"]), raw(told["hash"])]),
    ]


def whispers() -> list[bytes]:
    ct = H(whisper_ct())
    read = [raw(load("pieces")[name]["body"]) for name in ("ephemeral", "ephemeral_to")]
    return [*read, *(enc([2, b"R" * 16, 3, *[bytes(16)] * 3, 1, NOW, kind, b"", ct]) for kind in (3, 9))]


def whisper_ct() -> bytes:
    return raw(load("pieces")["ephemeral"]["ct"])


def proofs() -> list[bytes]:
    return [raw(load("proof")["proof"])]


def local() -> list[bytes]:
    attempt = enc([2, bytes(16), bytes(16), bytes(34), bytes(32), bytes(32), True])
    return [raw(person()["account"]), raw(load("pairing")["account"]), attempt, b"KNKEEP\x02" + bytes(1400)]


def everything() -> list[bytes]:
    """One of each format of the encoding, and the small values."""
    some = [user_entries()[0], room_entries()[1], headers()[0], manifests()[0], proofs()[0]]
    return [*some, *(raw(case["hex"]) for case in load("encoding")["good"])]


# -- the wire


def client_frames() -> list[bytes]:
    from sync.protocol.messages import ClientFrame

    return _frames(ClientFrame)


def server_frames() -> list[bytes]:
    from sync.protocol.messages import ServerFrame

    return _frames(ServerFrame)


def _frames(union: Any) -> list[bytes]:
    """One of each frame, with a value of every field's type."""
    info = msgspec.inspect.type_info(union)
    assert isinstance(info, msgspec.inspect.UnionType)
    return [msgspec.msgpack.encode(_example(frame)) for frame in info.types]


def _example(of: Any) -> Any:
    kinds = msgspec.inspect
    if isinstance(of, kinds.StructType):
        return of.cls(*(_example(field.type) for field in of.fields))
    if isinstance(of, kinds.ListType):
        return [_example(of.item_type)]
    if isinstance(of, kinds.TupleType):
        return tuple(_example(item) for item in of.item_types)
    if isinstance(of, kinds.UnionType):
        return _example(of.types[0])
    plain: dict[object, object] = {kinds.IntType: 1, kinds.BytesType: bytes(16), kinds.StrType: "å"}
    return plain.get(type(of), True)


def blob_headers() -> list[bytes]:
    digest = b"sha-256=:" + b"A" * 43 + b"=:"
    return [b"bytes 0-52/53\n" + digest, b"bytes=0-99\n", b"0" * 32 + b"\n" + b"1" * 32]
