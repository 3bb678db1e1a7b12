# SPDX-License-Identifier: EUPL-1.2
"""What is closed is freed: documents, boards, their undo, and what the worker holds. What is dropped without `close` is
freed when Python collects it."""

import gc
import weakref
from collections.abc import Callable

import pytest

from app.errors import BugError
from app.objects.crdt import CrdtDoc
from app.objects.undo import Undo
from app.richtext.model import Change, Document
from app.tasks.model import Board
from app.worker.frames import Forget, Load, Try
from app.worker.serve import Serving
from tests.app.objects.crdts import crdt_of
from tests.counting import crdt_docs

MANY = 20
TEXT = "Beslut om tillsyn å ä ö 🙂"


def new_doc() -> CrdtDoc:
    return CrdtDoc(texts=["text"], maps=["board"])


def used_document() -> Document:
    document = Document(lambda _update: None)
    document.changed.connect(lambda _change: document.words)  # as a view does
    document.set_up("Beslut å")
    document.splice(0, 0, TEXT)
    document.splice(0, 6, "")
    assert document.undo()
    return document


def used_board() -> Board:
    board = Board(lambda _update: None)
    board.changed.connect(lambda _ids: board.all_cards())
    board.setup(["Att göra", "Klart"], done=1, title="Uppgifter å 🙂")
    board.edit_card(board.add_card(board.columns()[0].id, TEXT), title="ö")
    assert board.undo.undo()
    return board


def content_of(model: Document | Board) -> Callable[[], object]:
    """Returns pycrdt's document in a model as long as it is in memory, then None."""
    return weakref.ref(crdt_of(model).shared)


@pytest.mark.parametrize("make", [used_document, used_board])
@pytest.mark.parametrize("close", [True, False], ids=["closed", "dropped"])
def test_models_are_freed_once_nobody_holds_them(make: Callable[[], Document | Board], close: bool) -> None:
    """▲ pycrdt holds observers where Python's collector cannot see them."""
    models = [make() for _ in range(MANY)]
    held: list[Callable[[], object]] = [weakref.ref(model) for model in models]
    held += [content_of(model) for model in models]
    if close:
        while models:
            models.pop().close()
    del models
    gc.collect()
    assert sum(one() is not None for one in held) == 0


@pytest.mark.parametrize("make", [used_document, used_board])
def test_a_closed_model_frees_its_content_though_somebody_still_holds_it(make: Callable[[], Document | Board]) -> None:
    model = make()
    content = content_of(model)
    model.close()
    model.close()
    assert content() is None


def test_a_document_that_begins_again_frees_what_it_was() -> None:
    doc, before = new_doc(), crdt_docs()
    undo = Undo(doc, [doc.text("text")])
    for _ in range(MANY):
        with doc.transact():
            doc.text("text").insert(0, TEXT)
        assert doc.reset([doc.diff()]) == []
    assert crdt_docs() <= before
    with doc.transact():
        doc.text("text").insert(0, "å")
    assert undo.undo()
    assert str(doc.text("text")) == TEXT * MANY


def test_nothing_can_be_done_with_a_closed_crdt_document_and_nobody_is_notified() -> None:
    doc, emitted = new_doc(), list[str]()
    text, board = doc.text("text"), doc.map("board")
    undo = Undo(doc, [text, board])
    with doc.transact():
        doc.text("text").insert(0, TEXT)
    update = doc.diff()
    doc.updated.connect(lambda _update: emitted.append("updated"))
    doc.reloaded.connect(lambda: emitted.append("reloaded"))
    text.changed.connect(lambda _ops, _origin: emitted.append("text"))
    board.changed.connect(lambda _paths, _origin: emitted.append("board"))
    doc.close()
    doc.close()
    uses: list[Callable[[], object]] = [
        lambda: doc.apply([update]),
        lambda: doc.reset([update]),
        doc.diff,
        doc.state,
        lambda: doc.client,
        lambda: str(text),
        lambda: text.insert(0, "å"),
        board.to_python,
        lambda: board.set(("a",), 1),
    ]
    for use in uses:
        with pytest.raises(BugError):
            use()
    assert not undo.can_undo
    assert not undo.undo()
    assert not undo.redo()
    assert emitted == []


def test_a_closed_document_can_be_read_and_takes_no_edits() -> None:
    document, emitted = used_document(), list[Change]()
    document.changed.connect(emitted.append)
    text = document.plain_text()
    document.close()
    document.splice(0, 0, "å")
    document.set_title("Annan ö")
    document.set_block(0, 0, document.block(0).style)
    assert not document.undo()
    assert (document.title, document.plain_text(), emitted) == ("Beslut å", text, [])


def test_a_document_that_a_listener_closes_notifies_no_more() -> None:
    sent = list[bytes]()
    document, colleague = Document(sent.append), used_document()
    document.changed.connect(lambda _change: document.close())
    document.merge([colleague.snapshot()])
    assert document.plain_text() == colleague.plain_text()
    assert sent == []
    colleague.close()


def test_objects_that_the_worker_loads_again_or_forgets_are_freed() -> None:
    writer = new_doc()
    with writer.transact():
        writer.text("text").insert(0, TEXT)
    serving, before = Serving(), crdt_docs()
    for _ in range(MANY):
        serving.answer(Load(b"o", ("text",), ("board",), (writer.diff(),), first=True, last=True))
        assert serving.answer(Try(b"o", (writer.diff(),), thorough=True)).merged == (True,)
    assert crdt_docs() <= before + 1
    serving.answer(Forget(b"o"))
    assert crdt_docs() <= before
    writer.close()
