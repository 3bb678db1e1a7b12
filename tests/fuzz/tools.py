# SPDX-License-Identifier: EUPL-1.2
"""What the application reads: key slots, the tools' records, links, and pasted text."""

from collections.abc import Mapping
from contextlib import closing, suppress
from typing import cast

from tests.fuzz import tool_samples as samples
from tests.fuzz.target import Run, Target

_BAD_CHANGE = ("app.errors.BadChange",)


def _slot() -> Run:
    from app.store import card_slot
    from app.store.slot_file import Slot, SlotKind, parse_argon

    def run(data: bytes) -> None:
        for kind in SlotKind:
            slot = Slot.parse(kind, data)
            assert slot.to_bytes() == data
            if kind is SlotKind.PASSPHRASE:
                parse_argon(slot.params)
            if kind is SlotKind.CARD:
                card_slot.parse(slot.params)

    return run


def _chat() -> Run:
    from app.chat.markup import parse, plain
    from app.chat.records import Carried, MessageEdited, MessageSent, decode, edit_in, encode, message_in

    def run(data: bytes) -> None:
        record = decode(data)
        assert decode(encode(record)) == record
        if isinstance(record, Carried):
            record = edit_in(record) or message_in(record)
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


def _packages() -> Run:
    from app.viewing.danger import check_bytes
    from app.viewing.package import look_inside

    def run(data: bytes) -> None:
        check_bytes(data)
        look_inside(data)

    return run


def _document() -> Run:
    from app.documents.records import CARET
    from app.errors import BadChange
    from app.objects.pieces import Whole, check, decode
    from app.richtext.model import Document

    base = samples.document()

    def written() -> "closing[Document]":
        document = Document()
        document.merge([base])
        return closing(document)

    def run(data: bytes) -> None:
        try:
            caret = CARET.decode(data)
        except BadChange:
            pass
        else:
            if caret.selection is not None:
                with written() as document:
                    document.selections.resolve(caret.selection)
        record = decode(data)
        check(data)
        if isinstance(record, Whole):
            with written() as document:
                document.merge([record.update])
                document.plain_text()

    return run


def _board() -> Run:
    from app.objects.pieces import unpack
    from app.tasks.model import Board

    base = samples.board()

    def run(data: bytes) -> None:
        update = unpack(data).update
        with closing(Board()) as board:
            board.merge([base])
            board.merge([update])
            _ = board.title, board.columns(), board.labels(), board.all_cards(), board.archived()
            for column in board.columns():
                board.cards(column.id)

    return run


def _own() -> Run:
    """A change of a person's own object: what it holds is joined to the same, in any order and more than once."""
    from app.core.signal import Signal
    from app.objects.pieces import unpack
    from app.own.drafts import draft_from, named_in
    from app.own.joining import JOINS, Value
    from app.own.model import ROOTS, OwnObject
    from app.own.notice_marks import NoticeMarks
    from app.own.service import Own
    from app.reminders import values
    from app.store.notice_rows import NoticeState

    base = samples.own()

    class Held:
        """The joined values under one root, as `Own` gives them."""

        def __init__(self, values: Mapping[str, Value]) -> None:
            self.changed: Signal[object] = Signal()
            self._values = values

        def keys(self, root: str) -> set[str]:
            return set(self._values)

        def value(self, root: str, key: str) -> Value | None:
            return self._values.get(key)

    def marked(found: Mapping[tuple[str, str], Mapping[str, Value]]) -> None:
        """What is stored of the notices that the other devices marked."""
        values = {key: JOINS[root](list(by.values())) for (root, key), by in found.items() if root == "notices"}
        own = Held({key: value for key, value in values.items() if value is not None})
        told = list[object]()
        marks = NoticeMarks(cast("Own", own), Signal(), lambda some: told.extend(some.values()), Signal(), told.extend)
        marks.start()
        marks.close()
        for each in told:
            assert isinstance(each, bytes) or (isinstance(each, tuple) and isinstance(each[0], NoticeState))

    def run(data: bytes) -> None:
        update = unpack(data).update
        with closing(OwnObject()) as own:
            own.merge([base])
            own.merge([update])
            _ = own.year
            found = {(root, key): own.values(root, key) for root in ROOTS for key in own.keys(root)}
        for (root, key), by in found.items():
            held = list(by.values())
            for dev, value in by.items():
                _ = draft_from(dev, value), named_in(value)
            if root in JOINS:
                joined = JOINS[root](held)
                assert JOINS[root](held[::-1]) == joined
                assert joined is None or JOINS[root]([*held, joined, *held]) == joined
                reminder = values.decode(key, joined) if root == values.ROOT else None
                if joined is not None and reminder is not None:
                    assert values.decode(key, values.encode(reminder, joined[3])) == reminder
        marked(found)

    return run


def _turns() -> Run:
    """Messages of the person's other devices about what rings: never more than is named, and only whole ids."""
    from app.core.enums import LinkState
    from app.core.ids import DevId
    from app.notices.turns import MOST_IDS, TurnPorts, Turns

    mine, other, sent = DevId(bytes(16)), DevId(bytes([1] * 16)), list[bytes]()
    turns = Turns(TurnPorts(me=mine, devices=lambda: [mine, other], send=sent.append))
    turns.on_status(LinkState.ONLINE)
    rung = list[int]()
    turns.rung.connect(lambda ids: rung.extend(map(len, ids)))

    def run(data: bytes) -> None:
        rung.clear()
        turns.use()
        turns.receive(other, data)
        assert len(rung) <= MOST_IDS
        assert set(rung) <= {16}
        turns.upto_ms()
        sent.clear()

    return run


def _pieces() -> Run:
    """The changes of three authors, as `samples.framed` has them, in the judge of an object and in the assembler."""
    from app.objects.pieces import MAX_PENDING, Assembler, group_of, unpack
    from app.objects.replay import Replay
    from sync.client.placed_changes import PlacedChange
    from sync.ids import ChangeId, Uid
    from sync.pieces import finished
    from tests.fuzz.judged import NothingKept, person

    def run(data: bytes) -> None:
        replay, feeder, groups = Replay(unpack, NothingKept()), Assembler(), set[tuple[int, bytes]]()
        for position, (author, change) in enumerate(samples.unframed(data), start=1):
            if (group := group_of(change)) is not None:
                groups.add((author, group))
            if len(groups) > MAX_PENDING:  # the assembler drops the oldest, which the judge does not
                return
            placed = PlacedChange(position, ChangeId(bytes(16)), Uid(person(author)), 0, change)
            parts = finished(replay.taking(placed))[0].parts
            found = feeder.feed_data([(person(author), change)])
            assert len(found) <= 1
            assert found or len(parts) == 1, "the judge completes a group that the assembler does not"
            assert not found or found[0] == replay.update(parts)[0]

    return run


def _state() -> Run:
    from app.objects.canonical import canonical
    from app.objects.compaction import state_of

    bases = ((samples.document(), ("text",), ("meta",)), (samples.board(), (), ("board", "columns", "cards", "labels")))

    def run(data: bytes) -> None:
        canonical(data)
        for base, texts, maps in bases:
            found = state_of([base, data], texts=texts, maps=maps)
            if found is not None:
                again = state_of([found[0]], texts=texts, maps=maps)
                assert again is not None
                assert again[1] == found[1], "what is merged once more has another hash"

    return run


def _records() -> Run:
    from app.errors import BadChange
    from app.personal import records as personal
    from app.rooms import formats
    from app.rooms import records as rooms

    def run(data: bytes) -> None:
        for kind in (rooms, personal, formats):
            try:
                record = kind.decode(data)
            except BadChange:
                continue
            assert kind.decode(kind.encode(record)) == record

    return run


def _presence() -> Run:
    from app.presence.records import MAX_TEXT, DevicePresence, encode, here, read

    now_ms = 1_795_000_000_000

    def run(data: bytes) -> None:
        found = read(data, now_ms)
        if isinstance(found, DevicePresence):
            assert len(found.choice.text) <= MAX_TEXT
            assert read(encode(here(found)), now_ms) == found

    return run


def _links() -> Run:
    from urllib.parse import urlsplit

    from app.devices.inviting import read_pointer
    from app.objects import addresses
    from app.objects.links import ObjectLink
    from sync.client.wire.transport import ServerAddress
    from sync.errors import BadAddress
    from ui.shell.entry.welcome import parse_link

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        link = ObjectLink.parse(text)
        assert link is None or ObjectLink.parse(link.to_text()) == link
        judged = addresses.safe_link(text)
        assert addresses.safe_link(judged) == judged
        assert urlsplit(addresses.opened(judged)).netloc.isascii()
        assert bool(addresses.host(judged)) == (judged != "" and not judged.startswith("kansli:"))
        pointer, address = read_pointer(text), parse_link(text)
        for server in (text, pointer.server if pointer else "", address.server if address else ""):
            try:
                ServerAddress.parse(server, insecure_loopback=True)
            except BadAddress:
                continue

    return run


def _pasted() -> Run:
    from app.chat.pasting import read
    from app.richtext.formats import from_bytes, from_html, from_text, to_html
    from app.richtext.markdown import to_markdown

    def run(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        read("", text)
        read(text, text)
        for blocks in (from_bytes(data) or [], from_html(text), from_text(text)):
            to_html(blocks)
            to_markdown(blocks)

    return run


def _files() -> Run:
    """Files of others, in the process that converts: as XML of a document, as an archive, as Markdown; and the answer
    that such a process may give."""
    from app.documents.conversion import wire
    from app.documents.conversion.process import converted
    from app.documents.errors import ConversionFault
    from tests.app.documents.made_files import DOCUMENT, docx

    def run(data: bytes) -> None:
        with suppress(ValueError):
            wire.decode_taken(data)
        for kind, file in (("docx", docx(parts={DOCUMENT: data})), ("docx", data), ("md", data)):
            with suppress(ConversionFault):
                taken = wire.decode_taken(converted(kind, file))
                converted(wire.DOCX_OUT, wire.encode_document("å", taken.blocks))

    return run


TARGETS = (
    Target(name="slot", make=_slot, seeds=samples.slots, refusals=("app.errors.SlotDamaged",)),
    Target(name="chat", make=_chat, seeds=samples.chat, refusals=(*_BAD_CHANGE, "app.chat.errors.MessageTooLong")),
    Target(name="markup", make=_markup, seeds=samples.texts, share=3),
    Target(name="document", make=_document, seeds=samples.document_records, refusals=_BAD_CHANGE, share=3),
    Target(name="board", make=_board, seeds=samples.board_records, refusals=_BAD_CHANGE, share=3),
    Target(name="own", make=_own, seeds=samples.own_records, refusals=_BAD_CHANGE, share=3),
    Target(name="pieces", make=_pieces, seeds=samples.pieces, share=3),
    Target(name="state", make=_state, seeds=samples.updates, share=3),
    Target(name="records", make=_records, seeds=samples.small_records),
    Target(name="presence", make=_presence, seeds=samples.presence),
    Target(name="turns", make=_turns, seeds=samples.turns),
    Target(name="links", make=_links, seeds=samples.addresses),
    Target(name="files", make=_files, seeds=samples.files),
    Target(
        name="packages", make=_packages, seeds=samples.packages, share=3, refusals=("app.viewing.errors.OpensHarm",)
    ),
    Target(name="pasted", make=_pasted, seeds=samples.pages, share=3),
)
