# SPDX-License-Identifier: EUPL-1.2
"""Documents that merge: the mirror follows the CRDT, whatever is done by whom in which order."""

import random
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pycrdt
import pytest

from app.objects.crdt import CrdtText
from app.objects.grammar import read
from app.objects.sticky import client_in
from app.richtext.flow import BODY, PLAIN, Block, Marks, Run, Style
from app.richtext.merging import Merge
from app.richtext.model import Change, Document
from app.richtext.writing import MAX_INSERTED
from tests.app.objects.crdts import crdt_of

WORDS = ["å", "x", "hej ", "ärende ", "öl 🙂", "\n", "A\nB ", "§ 4 👩‍👧 "]
FORMATS: list[dict[str, Any]] = [
    {"bold": True},
    {"bold": None},
    {"italic": True},
    {"link": "https://ö.se"},
    {"link": None},
]
STYLES = [
    BODY,
    Style(heading=1),
    Style(heading=3),
    Style(quote=True),
    Style(list="ul", indent=1),
    Style(list="ol", indent=2),
]


def test_attack_a_caret_names_no_client_under_which_nothing_has_a_position_yet() -> None:
    """Carets travel beside the changes. A colleague could read the client in a caret and use it first. Then everything
    that the writer wrote under it would be void: hours of work on a computer without a network."""
    updates: list[bytes] = []
    document = Document(updates.append)
    document.set_up("Beslut å 🙂")
    whole = Document()
    whole.merge(updates)
    document.splice(0, 0, "Skrivet utan linje. ")
    client = read(updates[-1]).sections[0].client
    for at in (0, 3, document.length_utf16):
        emitted = document.selections.encode(at, 5)
        assert client not in (client_in(emitted[2:]), client_in(emitted[2 + int.from_bytes(emitted[:2], "big") :]))
    document.selections.placed(client + 1)
    assert document.selections.encode(3, 5) == emitted
    document.selections.placed(client)
    whole.merge(updates)
    assert whole.selections.resolve(document.selections.encode(3, 5)) == (3, 5)


def test_attack_an_update_that_touches_both_ends_of_a_long_document_takes_no_time() -> None:
    first, second = Desk(), Desk()
    first.doc.set_up("Beslut")
    first.doc.splice(0, 0, ("Ärendet å 🙂 " * 8 + "\n") * 2000)
    sync(first, second)
    with crdt_of(first.doc).transact():
        crdt_of(first.doc).text("text").insert(0, "Först ")
        crdt_of(first.doc).text("text").insert(first.doc._mirror.size_utf8 + 5, "sist")
    walked = 0

    def count(self: Merge, size: int, attrs: Mapping[str, Any] | None) -> None:
        nonlocal walked
        walked += size
        keep(self, size, attrs)

    keep = Merge._keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Merge, "_keep", count)
        sync(first, second)
    assert walked < 1000
    second.check()
    assert second.doc.plain_text().startswith("Först Ärendet")
    assert second.doc.plain_text().rstrip().endswith("sist")


class Desk:
    """A person at a document, with a plain text that follows `Change.edits` as a view would."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.now = 0
        self.doc = Document(self.sent.append, clock_ms=self._clock)
        self.seen = self.doc.plain_text()
        self.blocks = list(self.doc.blocks())
        self.doc.changed.connect(self._on_changed)

    def _clock(self) -> int:
        self.now += 1000
        return self.now

    def _on_changed(self, change: Change) -> None:
        units = self.seen.encode("utf-16-le")
        for edit in change.edits:
            units = units[: 2 * edit.pos] + edit.text.encode("utf-16-le") + units[2 * (edit.pos + edit.removed) :]
        # the text ends in a newline that a view does not show; an edit may push it out at the end
        self.seen = units.decode("utf-16-le")
        self.blocks[change.first : change.first + change.removed] = change.blocks

    def check(self) -> None:
        fresh = Document()
        fresh.merge([self.doc.snapshot()])
        assert shown(fresh) == shown(self.doc)
        assert shown_blocks(self.blocks) == shown(self.doc)
        assert self.seen == self.doc.plain_text()


def shown_blocks(blocks: list[Block]) -> list[tuple[tuple[Run, ...], Style]]:
    return [(block.runs, block.style) for block in blocks]


def shown(doc: Document) -> list[tuple[tuple[Run, ...], Style]]:
    return shown_blocks(list(doc.blocks()))


def new_pair() -> tuple[Desk, Desk]:
    first, second = Desk(), Desk()
    first.doc.set_up("Beslut")
    first.doc.splice(0, 0, "Rubrik ärende\nFörsta stycket med text å–ä 🙂.\npunkt ett\npunkt två\nSlut")
    sync(first, second)
    return first, second


def sync(first: Desk, second: Desk) -> None:
    mine, theirs = first.sent[:], second.sent[:]
    first.sent.clear()
    second.sent.clear()
    assert second.doc.merge(mine) == 0
    assert first.doc.merge(theirs) == 0


def act(desk: Desk, rng: random.Random) -> None:
    doc = desk.doc
    pos = rng.randint(0, doc.length_utf16)
    what = rng.random()
    if what < 0.45:
        doc.splice(pos, 0, rng.choice(WORDS), rng.choice([PLAIN, Marks(bold=True), Marks(link="https://å.se/")]))
    elif what < 0.6:
        doc.splice(pos, rng.randint(1, 12), rng.choice(["", "", "byt"]))
    elif what < 0.75:
        doc.format(pos, rng.randint(1, 15), rng.choice(FORMATS))
    elif what < 0.87:
        first = rng.randrange(len(doc.blocks()))
        doc.set_block(first, min(first + rng.randint(0, 2), len(doc.blocks()) - 1), rng.choice(STYLES))
    elif what < 0.95:
        doc.undo()
    else:
        doc.redo()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))])
def test_two_people_who_do_anything_at_once_end_with_the_same_document(seed: int) -> None:
    rng = random.Random(seed)
    first, second = new_pair()
    for _ in range(100):
        for desk in (first, second):
            for _ in range(rng.randint(1, 4)):
                act(desk, rng)
        sync(first, second)
        first.check()
        second.check()
        assert shown(first.doc) == shown(second.doc)


def test_everything_can_be_deleted_and_the_document_goes_on() -> None:
    first, second = new_pair()
    first.doc.splice(0, first.doc.length_utf16, "")
    second.doc.splice(second.doc.length_utf16, 0, "\nEfteråt")
    sync(first, second)
    assert shown(first.doc) == shown(second.doc)
    assert first.doc.plain_text() == "\nEfteråt"


def test_a_text_without_a_last_newline_is_shown_and_can_be_edited() -> None:
    desk = Desk()
    desk.doc.splice(0, 0, "å")
    desk.doc.set_block(0, 0, Style(heading=1))
    assert shown(desk.doc) == [((Run("å"),), Style(heading=1))]
    desk.check()


def test_an_emoji_is_never_split() -> None:
    desk = Desk()
    desk.doc.splice(0, 0, "a🙂b")
    desk.doc.splice(2, 0, "x")
    assert desk.doc.plain_text() == "ax🙂b"
    desk.doc.splice(3, 0, "\ud83d")
    assert "\ud83d" not in desk.doc.plain_text()
    desk.doc.format(2, 1, {"bold": True})
    desk.check()


def test_undo_takes_back_my_words_and_leaves_a_colleagues() -> None:
    first, second = new_pair()
    first.doc.splice(0, 0, "MITT ")
    sync(first, second)
    second.doc.splice(0, 0, "DITT ")
    sync(first, second)
    assert first.doc.undo()
    sync(first, second)
    assert second.doc.plain_text().startswith("DITT Rubrik ärende")
    assert first.doc.redo()
    assert "MITT" in first.doc.plain_text()


def test_what_set_the_document_up_is_not_undone() -> None:
    desk = Desk()
    desk.doc.set_up("Beslut")
    assert not desk.doc.can_undo
    desk.doc.splice(0, 0, "å")
    assert desk.doc.can_undo


def test_heading_and_list_set_at_once_show_one_of_them_and_the_same_for_both() -> None:
    first, second = new_pair()
    first.doc.set_block(1, 1, Style(heading=2))
    second.doc.set_block(1, 1, Style(list="ul", indent=1))
    sync(first, second)
    assert first.doc.block(1).style == second.doc.block(1).style == Style(heading=2)
    first.doc.set_block(1, 1, BODY)
    sync(first, second)
    assert second.doc.block(1).style == BODY


def test_a_damaged_update_is_counted_and_the_rest_is_merged() -> None:
    first, second = new_pair()
    first.doc.splice(0, 0, "före ")
    good = first.sent.pop()
    assert second.doc.merge([b"\xff\x01\x02", good, b""]) == 2
    assert second.doc.plain_text().startswith("före Rubrik")
    second.check()


def client_of(desk: Desk) -> int:
    """The CRDT client under which this desk's document writes."""
    return crdt_of(desk.doc).client


def test_a_selection_follows_its_words_and_nonsense_resolves_to_nothing() -> None:
    first, second = new_pair()
    first.doc.selections.placed(client_of(first))
    selection = first.doc.selections.encode(7, 13)
    second.doc.splice(0, 0, "åäö🙂 ")
    sync(first, second)
    assert second.doc.selections.resolve(selection) == (13, 19)
    assert first.doc.selections.resolve(selection) == (13, 19)
    for nonsense in (b"", b"\x00", b"\xff\xff123", b"\x00\x02ab\xff\xff\xff"):
        assert first.doc.selections.resolve(nonsense) is None


def test_attack_a_caret_without_the_form_of_a_position_reaches_no_native_code(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = new_pair()
    first.doc.selections.placed(client_of(first))
    emitted = first.doc.selections.encode(7, 13)[2:]
    good = emitted[: len(emitted) // 2]
    monkeypatch.setattr(pycrdt.StickyIndex, "decode", None)
    no_utf_8 = b"\1\2\xff\xfe\0"
    forms = (good[:-1], good + b"\0", b"\3" + good[1:], b"\1\xff\xff\xff\xff\7", b"\0" * 200, b"\0" + b"\xff" * 9)
    for bad in (*forms, no_utf_8):
        assert first.doc.selections.resolve(len(bad).to_bytes(2, "big") + bad + bad) is None
    with pytest.raises(TypeError):  # this one would have been decoded
        first.doc.selections.resolve(len(good).to_bytes(2, "big") + good + good)


def test_a_caret_that_comes_before_its_letter_is_no_question_for_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new_pair()
    first.doc.selections.placed(client_of(first))
    first.doc.splice(0, 0, "Å")
    selection = first.doc.selections.encode(0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(pycrdt.StickyIndex, "decode", None)
        assert second.doc.selections.resolve(selection) is None
    sync(first, second)
    assert second.doc.selections.resolve(selection) == (0, 0)


def test_carets_at_the_very_end_and_in_an_empty_document_have_a_position() -> None:
    first, _ = new_pair()
    first.doc.selections.placed(client_of(first))
    end = first.doc.length_utf16
    assert first.doc.selections.resolve(first.doc.selections.encode(end, end)) == (end, end)
    empty = Document()
    assert empty.selections.resolve(empty.selections.encode(0, 0)) in ((0, 0), None)


def test_the_title_is_cleaned_and_sent_to_everybody() -> None:
    first, second = new_pair()
    emitted: list[str] = []
    second.doc.title_changed.connect(emitted.append)
    first.doc.set_title("  Beslut\n om   tillsyn å ")
    sync(first, second)
    assert second.doc.title == "Beslut om tillsyn å"
    assert emitted == ["Beslut om tillsyn å"]


def test_words_are_counted() -> None:
    desk = Desk()
    desk.doc.splice(0, 0, "Ett två\ntre  fyra 🙂")
    assert desk.doc.words == 5


def test_a_document_is_filled_as_it_would_be_written() -> None:
    blocks = [
        Block((Run("å 🙂", Marks(bold=True)), Run("b", Marks(bold=True, link="https://a.se"))), Style(heading=1)),
        Block(()),
        Block((Run("c"), Run("d", Marks(italic=True))), Style(list="ol", indent=2)),
    ]
    updates: list[bytes] = []
    filled, other = Document(updates.append), Document()
    filled.set_up("Beslut")
    filled.fill(blocks)
    other.merge(updates)
    for document in (filled, other):
        assert [(b.runs, b.style) for b in document.blocks()] == [(b.runs, b.style) for b in blocks]
    assert not filled.can_undo
    filled.splice(0, 0, "x")
    other.merge(updates)
    assert other.plain_text() == "xå 🙂b\n\ncd"


def test_a_long_text_is_filled_in_short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths, insert = list[int](), CrdtText.insert

    def noted(text: CrdtText, pos: int, piece: str, attrs: Mapping[str, Any] | None = None) -> None:
        lengths.append(len(piece))
        insert(text, pos, piece, attrs)

    monkeypatch.setattr(CrdtText, "insert", noted)
    blocks = [Block((Run("Sökanden å 🙂. " * 7000), Run("i fetstil", Marks(bold=True)))), Block((Run("Slut"),))]
    with closing(Document()) as document:
        document.set_up("Yttrande å")
        lengths.clear()
        document.fill(blocks)
        assert max(lengths) == MAX_INSERTED
        assert [block.text for block in document.blocks()] == [block.text for block in blocks]
        assert document.block(0).runs[-1] == blocks[0].runs[-1]
