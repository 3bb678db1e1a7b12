# SPDX-License-Identifier: EUPL-1.2
"""Everything that reads bytes or text of others, each with inputs to begin with and the refusals that are its own.

A target gets past signatures where it can: what the fuzzer made is signed and sealed with the vectors' keys, so that a
hostile member's bytes reach the rules behind.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fuzz import samples

Run = Callable[[bytes], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`make` builds the decoder (its modules are loaded only then, so that they can be instrumented)."""

    name: str
    make: Callable[[], Run]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[str, ...] = ("sync.errors.Reject",)
    share: int = 10
    """How many inputs it gets beside the others: one for what takes a millisecond, ten for what takes less than 0.2."""

    def prepare(self) -> Run:
        """A function that lets nothing out but a fault."""
        run, refusals = self.make(), tuple(map(_named, self.refusals))

        def once(data: bytes) -> None:
            try:
                run(data)
            except refusals as e:
                _coded(e)
            except Exception:
                raise
            except BaseException as e:  # pycrdt's panic is no Exception: atheris would take it for its own end
                raise AssertionError(repr(e)) from e

        return once


def _coded(refusal: BaseException) -> None:
    code = getattr(refusal, "code", None)
    if not isinstance(code, str) or not code:
        raise AssertionError("a refusal without a code") from refusal


def _named(path: str) -> type[BaseException]:
    module, _, name = path.rpartition(".")
    found: type[BaseException] = getattr(importlib.import_module(module), name)
    return found


def _encoding() -> Run:
    from sync.crypto.encoding import dec, enc

    def run(data: bytes) -> None:
        assert enc(dec(data, limit=1 << 20)) == data

    return run


def _frames(side: str) -> Callable[[], Run]:
    def make() -> Run:
        from sync.protocol import codec

        decode: Callable[[bytes], Any] = codec.decode_client if side == "client" else codec.decode_server

        def run(data: bytes) -> None:
            frame = decode(data)
            assert decode(codec.encode(frame)) == frame

        return run

    return make


def _user_entry() -> Run:
    from sync.trust.userlog import UserEntry

    return UserEntry.decode


def _user_log() -> Run:
    from sync.crypto.encoding import dec
    from sync.trust.userlog import DOMAIN, UserLog, entry_id

    person = samples.person()
    keys = samples.person_keys()
    agency = bytes.fromhex(person["agency_pk"])
    entries = samples.entries(person)

    def run(data: bytes) -> None:
        """At the place in the log that it names, signed by whom it names."""
        parts = dec(data, limit=1 << 20)
        seq = parts[2] if isinstance(parts, list) and len(parts) == 9 and type(parts[2]) is int else 0
        log = UserLog(agency)
        for body, sig in entries[: min(seq, len(entries))]:
            log.apply(body, sig)
        before, by = list(log.heads), parts[4] if isinstance(parts, list) and len(parts) == 9 else None
        if by == "root" and seq > samples.ROOT_ROTATED:
            by = "second root"
        key = keys.get(by if isinstance(by, bytes | str) else None, keys["root"])
        try:
            log.apply(data, key.sign(DOMAIN, entry_id(data)))
        except Exception:
            assert log.heads == before
            raise

    return run


def _room_entry() -> Run:
    from sync.errors import Reject
    from sync.trust.roomlog import RoomEntry

    def run(data: bytes) -> None:
        try:
            RoomEntry.decode(data)
        except Reject:
            RoomEntry.decode(data, lenient=True)
        else:
            RoomEntry.decode(data, lenient=True)

    return run


def _room_stream() -> Run:
    """Each item of the vectors' room, changed and signed again by the member it names, where it stands."""
    from sync.crypto.encoding import dec
    from sync.errors import NeedLog, Reject
    from sync.trust.items import ENTRY, ENVELOPE, Item, item_id
    from sync.trust.stream import RoomStream

    story = samples.Story()

    def run(data: bytes) -> None:
        at = data[0] % story.length if data else 0
        body, was = data[1:], story.items[at]
        kind = ENTRY if was.kind == ENTRY else ENVELOPE
        stream = RoomStream.from_bytes(story.states[at]) if at else RoomStream(None)
        before = stream.to_bytes() if at else b""
        key = story.signer(dec(body, limit=1 << 20), kind)
        sig = key.sign("room-log" if kind == ENTRY else "op", item_id(kind, body))
        try:
            stream.accept([Item(was.n, was.t, kind, body, sig, was.ct)], story.book)
        except (Reject, NeedLog):
            assert not at or stream.to_bytes() == before
            raise

    return run


def _header() -> Run:
    from sync.trust.envelope import Header

    def run(data: bytes) -> None:
        header = Header.decode(data)
        if data.endswith(b"\xa0"):  # without extensions
            assert header.encode() == data

    return run


def _envelope() -> Run:
    from sync.trust.envelope import Header, read_body

    def run(data: bytes) -> None:
        Header.decode(read_body(data)[0])

    return run


def _payload() -> Run:
    from sync.trust.envelope import pad, unpack, unpad

    def run(data: bytes) -> None:
        assert unpad(pad(data)) == data
        unpack(data)

    return run


def _padding() -> Run:
    from sync.trust.envelope import pad, unpad

    def run(data: bytes) -> None:
        assert pad(unpad(data)) == data

    return run


def _epoch() -> Run:
    from sync.crypto.encoding import dec, enc
    from sync.trust.epochs import Epoch

    def run(data: bytes) -> None:
        assert enc(Epoch.read(dec(data, limit=1 << 20)).payload()) == data

    return run


def _epoch_link() -> Run:
    """What the signer of an epoch may have put into its link: sealed under the true archive key."""
    from dataclasses import replace

    from sync.crypto import aead
    from sync.crypto.kdf import kdf
    from sync.trust.epochs import KeyRing, walk_back
    from sync.trust.stream import RoomStream

    story = samples.Story()
    stream = RoomStream.from_bytes(story.states[-1])
    newest = stream.epochs[stream.epoch]
    k, a = story.keys(newest.e)
    key, context = kdf(a, "prev", stream.room, newest.e), ["prev", stream.room, newest.e, newest.base]

    def run(data: bytes) -> None:
        forged = replace(newest, prev=aead.seal(key, list(context), data))
        walk_back(stream.room, forged, dict(stream.epochs), KeyRing(stream.room, [(newest.e, k, a)]))

    return run


def _epoch_seal() -> Run:
    from sync.crypto import seal
    from sync.crypto.seal import KemKey
    from sync.trust.epochs import open_seal, seal_info
    from sync.trust.stream import RoomStream

    stream = RoomStream.from_bytes(samples.Story().states[-1])
    epoch, puk = stream.epochs[stream.epoch], KemKey(bytes(32))
    uid = next(iter(stream.members))
    info = seal_info(stream.room, epoch.e, epoch.kc, uid, 1)

    def run(data: bytes) -> None:
        sealed = data if len(data) > 200 else seal.seal_to(puk.public, info, data)
        open_seal(stream.room, epoch, uid, 1, puk, sealed)

    return run


def _pairing() -> Run:
    """Each message of both ways, to the side that gets it; by code it is sealed as one who knows the code would."""
    from sync.crypto import seal
    from sync.crypto.encoding import enc
    from sync.crypto.seal import KemKey
    from sync.ids import DevId, Hash
    from sync.trust.author import DeviceSecrets
    from sync.trust.pairing import Admitting, Entering, OldDevice, PairingCode, _Cover

    agency, code, kem = Hash(bytes(range(32))), PairingCode(bytes(15)), KemKey(bytes(32))
    secrets = DeviceSecrets(sign=bytes([3] * 32), kem=bytes([4] * 32), root=b"")
    new_kem = KemKey(secrets.kem)
    old = OldDevice.read(samples.old_device())

    def entering(by: PairingCode | None) -> tuple[Entering, Any]:
        side, cover = Entering(agency, secrets, "Dator", "Debian", by), _Cover(agency, by)
        cover.take("new", side.first(), 1)
        return side, cover

    def admitting(by: PairingCode | None) -> tuple[Admitting, Any]:
        new, cover = entering(by)
        side = Admitting(agency, kem, by)
        first = new.first() if by is None else None
        if first is None:
            fresh = Entering(agency, secrets, "Dator", "Debian", by)
            first = fresh.first()
            cover = _Cover(agency, by)
            cover.take("new", first, 1)
        side.hear(first)
        cover.take("old", side.tell(old), 2)
        return side, cover

    def sealed(cover: Any, role: str, data: bytes) -> bytes:
        from sync.crypto import aead

        return aead.seal(cover._key(role), cover._context(role), data) if cover._code is not None else data

    def run(data: bytes) -> None:
        which, body = data[0] if data else 0, data[1:]
        by = code if which & 1 else None
        match which >> 1 & 3:
            case 0:
                Admitting(agency, kem, by).hear(sealed(_Cover(agency, by), "new", body))
            case 1:
                new, cover = entering(by)
                new.answer(sealed(cover, "old", body))
            case 2:
                side, cover = admitting(by)
                side.check(sealed(cover, "new", body))
            case _:
                new, _ = entering(None)
                new.old = old
                info = enc(["enrol-done", old.uid, DevId(old.dev)])
                new.done(seal.seal_to(new_kem.public, info, body) if len(body) < 200 else body)

    return run


def _codes() -> Run:
    from sync.errors import Reject
    from sync.trust.agency import SignInCode
    from sync.trust.pairing import PairingCode
    from sync.trust.recovery import RecoveryCode

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for kind in (SignInCode, PairingCode, RecoveryCode):
            try:
                parsed = kind.parse(text)
            except Reject as e:
                _coded(e)
                continue
            assert kind.parse(parsed.format()) == parsed

    return run


def _proof() -> Run:
    from sync.trust.receipts import Proof

    def run(data: bytes) -> None:
        proof = Proof.decode(data)
        assert proof.encode() == data
        proof.check(samples.agency().pk)

    return run


def _certificates() -> Run:
    """Signed by the agency, whatever they say; and the server's word that it was restored."""
    from sync.errors import Reject
    from sync.trust.agency import InviteCert, verify_server_cert
    from sync.trust.restored import DOMAIN, Restored

    key, pk = samples.agency().key, samples.agency().pk

    def run(data: bytes) -> None:
        checks: tuple[Callable[[], object], ...] = (
            lambda: InviteCert.check(pk, data, key.sign("invite", data)),
            lambda: verify_server_cert(pk, data, key.sign("server", data), 0),
            lambda: Restored.check(pk, bytes(32), data, key.sign(DOMAIN, data)),
        )
        for check in checks:
            try:
                check()
            except Reject as e:
                _coded(e)

    return run


def _manifest() -> Run:
    from sync.trust.blobs import Manifest

    def run(data: bytes) -> None:
        assert Manifest.decode(data).encode() == data

    return run


def _states() -> Run:
    """A snapshot's piece and an attest, as a member sealed them."""
    from sync.errors import Reject
    from sync.trust.snapshots import Attest, Piece, joined

    def run(data: bytes) -> None:
        try:
            piece = Piece.decode(data)
        except Reject as e:
            _coded(e)
            assert Attest.decode(data).encode() == data
        else:
            assert piece.encode() == data
            joined([piece])

    return run


def _ephemeral() -> Run:
    """Signed by the member whom it names."""
    from sync.ids import RoomId
    from sync.trust import ephemeral

    key, room, now = samples.agency().key, RoomId(b"R" * 16), samples.NOW

    def run(data: bytes) -> None:
        whisper = ephemeral.Whisper(data, key.sign(ephemeral.DOMAIN, data), samples.whisper_ct())
        ephemeral.Listener(room).open(whisper, lambda uid, dev: key.public, lambda e: bytes([1]) * 32, now)

    return run


def _staff_record() -> Run:
    from sync.trust.agency import decode_record

    return decode_record


def _local() -> Run:
    """Bytes that lie in an encrypted store or a file of one's own: refused too, if they are damaged."""
    from sync.client import keepsake
    from sync.client.account import Account
    from sync.client.recovery import Attempt
    from sync.errors import Reject

    def run(data: bytes) -> None:
        for decode in (Account.decode, Attempt.decode, keepsake.length):
            try:
                decode(data)
            except Reject as e:
                _coded(e)

    return run


def _slot() -> Run:
    from app.store.keyslots import SlotKind, _argon, _Slot

    def run(data: bytes) -> None:
        for kind in SlotKind:
            slot = _Slot.parse(kind, data)
            assert slot.to_bytes() == data
            if kind is SlotKind.PASSPHRASE:
                _argon(slot.params)

    return run


def _chat() -> Run:
    from app.chat.markup import parse, plain
    from app.chat.records import MessageEdited, MessageSent, decode, encode

    def run(data: bytes) -> None:
        record = decode(data)
        assert decode(encode(record)) == record
        if isinstance(record, MessageSent | MessageEdited):
            parse(record.text, record.mentions)
            plain(record.text, record.mentions)

    return run


def _markup() -> Run:
    from app.chat.markup import parse, plain
    from app.chat.records import MAX_TEXT

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")[:MAX_TEXT]
        assert " ".join("".join(r.text for r in parse(text)).split()) == plain(text)

    return run


def _document() -> Run:
    from app.documents.model import Document
    from app.documents.records import CARET, PAYLOAD, DocumentPart, DocumentUpdate, check, group_of
    from app.errors import BadChange

    base = samples.document()

    def run(data: bytes) -> None:
        group_of(data)
        document = Document()
        document.merge([base])
        try:
            caret = CARET.decode(data)
        except BadChange:
            pass
        else:
            if caret.selection is not None:
                document.resolve_selection(caret.selection)
        record = PAYLOAD.decode(data)
        check(data)
        if isinstance(record, DocumentUpdate):
            document.merge([record.update])
            document.plain_text()
        else:
            assert isinstance(record, DocumentPart)

    return run


def _board() -> Run:
    from app.tasks.model import Board
    from app.tasks.records import decode

    base = samples.board()

    def run(data: bytes) -> None:
        board = Board()
        board.merge([base])
        board.merge([decode(data)])
        _ = board.title, board.columns(), board.labels(), board.all_cards(), board.archived()
        for column in board.columns():
            board.cards(column.id)

    return run


def _records() -> Run:
    from app.errors import BadChange
    from app.personal import records as personal
    from app.rooms import records as rooms

    def run(data: bytes) -> None:
        for kind in (rooms, personal):
            try:
                record = kind.decode(data)
            except BadChange:
                continue
            assert kind.decode(kind.encode(record)) == record

    return run


def _links() -> Run:
    from app.devices.inviting import read_pointer
    from app.documents.formats import safe_link
    from app.objects.links import ObjectLink
    from sync.client.transport import AddressError, ServerAddress
    from ui.shell.welcome import parse_link

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        link = ObjectLink.parse(text)
        assert link is None or ObjectLink.parse(link.to_text()) == link
        safe_link(text)
        pointer, address = read_pointer(text), parse_link(text)
        for server in (text, pointer.server if pointer else "", address.server if address else ""):
            try:
                ServerAddress.parse(server, insecure_loopback=True)
            except AddressError:
                continue

    return run


def _pasted() -> Run:
    from app.documents.formats import from_bytes, from_html, from_text, to_html, to_markdown

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        for blocks in (from_bytes(data) or [], from_html(text), from_text(text)):
            to_html(blocks)
            to_markdown(blocks)

    return run


def _blob_headers() -> Run:
    from sync.server.blobs import BlobRefusal, PartName, PutHeaders, parse_range

    def run(data: bytes) -> None:
        text = data.decode("latin-1")
        one, _, other = text.partition("\n")
        asked: tuple[Callable[[], object], ...] = (
            lambda: PutHeaders.parse(one, len(other), other, 4 << 20),
            lambda: parse_range(one, 4 << 20),
            lambda: PartName.parse(one, other, one[::-1]),
        )
        for ask in asked:
            try:
                ask()
            except BlobRefusal as e:
                _coded(e)

    return run


_BAD_CHANGE = ("app.errors.BadChange",)
_ALL = (
    Target(name="encoding", make=_encoding, seeds=samples.everything),
    Target(name="client-frames", make=_frames("client"), seeds=samples.client_frames),
    Target(name="server-frames", make=_frames("server"), seeds=samples.server_frames),
    Target(name="user-entry", make=_user_entry, seeds=samples.user_entries),
    Target(name="user-log", make=_user_log, seeds=samples.user_entries, share=1),
    Target(name="room-entry", make=_room_entry, seeds=samples.room_entries),
    Target(
        name="room-stream",
        make=_room_stream,
        seeds=samples.room_items,
        refusals=("sync.errors.Reject", "sync.errors.NeedLog"),
        share=1,
    ),
    Target(name="header", make=_header, seeds=samples.headers),
    Target(name="envelope", make=_envelope, seeds=samples.envelopes),
    Target(name="payload", make=_payload, seeds=samples.payloads),
    Target(name="padding", make=_padding, seeds=samples.padded),
    Target(name="epoch", make=_epoch, seeds=samples.epochs),
    Target(name="epoch-link", make=_epoch_link, seeds=samples.links),
    Target(name="epoch-seal", make=_epoch_seal, seeds=samples.seals, share=1),
    Target(name="pairing", make=_pairing, seeds=samples.pairing_messages, share=1),
    Target(name="codes", make=_codes, seeds=samples.codes),
    Target(name="proof", make=_proof, seeds=samples.proofs),
    Target(name="certificates", make=_certificates, seeds=samples.certificates, share=1),
    Target(name="manifest", make=_manifest, seeds=samples.manifests),
    Target(name="states", make=_states, seeds=samples.states),
    Target(name="ephemeral", make=_ephemeral, seeds=samples.whispers),
    Target(name="staff-record", make=_staff_record, seeds=samples.staff_records),
    Target(name="local", make=_local, seeds=samples.local),
    Target(name="slot", make=_slot, seeds=samples.slots, refusals=("app.errors.SlotDamaged",)),
    Target(name="chat", make=_chat, seeds=samples.chat, refusals=(*_BAD_CHANGE, "app.chat.errors.MessageTooLong")),
    Target(name="markup", make=_markup, seeds=samples.texts),
    Target(name="document", make=_document, seeds=samples.document_records, refusals=_BAD_CHANGE, share=1),
    Target(name="board", make=_board, seeds=samples.board_records, refusals=_BAD_CHANGE, share=1),
    Target(name="records", make=_records, seeds=samples.small_records),
    Target(name="links", make=_links, seeds=samples.addresses),
    Target(name="pasted", make=_pasted, seeds=samples.pages, share=1),
    Target(name="blob-headers", make=_blob_headers, seeds=samples.blob_headers),
)
TARGETS = {target.name: target for target in _ALL}
