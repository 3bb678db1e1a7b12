# SPDX-License-Identifier: EUPL-1.2
"""Whole histories of documents and boards, made by the tools' own models: several people write at once, each at their
own copy, undo and redo, close and open again (which gives them another client id), and their updates get positions in
some order that keeps each person's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random

from app.core.ids import Uid
from app.richtext.flow import PLAIN, Style
from app.richtext.model import Document
from app.tasks.model import Board

WORDS = ("Beslut", "å", "tillsyn ", "ö 🙂", "\n", "ärendet\n", "e\u0301", "𝔎ansli", "🙂🙂", "Åtgärd senast fredag. ")
MARKS = ({"bold": True}, {"bold": None}, {"italic": True}, {"link": "https://a.se/å"}, {"strike": True})


@dataclass(frozen=True, slots=True)
class Positioned:
    """An update that has a position: `author` is a small number."""

    author: int
    update: bytes


@dataclass
class Person:
    """Somebody at their own copy. `waiting`: what has no position yet; `seen`: how much of the log is merged."""

    number: int
    open: Callable[[list[bytes]], None]
    act: Callable[[Random], None]
    merge: Callable[[list[bytes]], object]
    close: Callable[[], None]
    waiting: list[bytes] = field(default_factory=list)
    seen: int = 0


def document(rng: Random, *, people: int = 3, rounds: int = 60) -> list[Positioned]:
    """A document that people wrote together."""
    first = Document()
    first.set_up("Beslut 🙂")
    began = first.snapshot()
    first.close()
    return _live(rng, [_writer(n) for n in range(people)], began, rounds)


def board(rng: Random, *, people: int = 3, rounds: int = 60) -> list[Positioned]:
    """A board that people changed together."""
    first = Board()
    first.setup(["Att göra", "Pågår", "Klart"], done=2, title="Tavla")
    began = first.diff()
    first.close()
    return _live(rng, [_planner(n) for n in range(people)], began, rounds)


def _live(rng: Random, people: list[Person], first: bytes, rounds: int) -> list[Positioned]:
    log = [Positioned(0, first)]
    for person in people:
        person.open([first])
        person.seen = 1
    for _ in range(rounds):
        person = rng.choice(people)
        person.act(rng)
        if rng.random() < 0.6:
            _send(rng.choice(people), log, rng.randint(1, 4))
        if rng.random() < 0.4:
            _pull(rng.choice(people), log)
        if rng.random() < 0.05:
            _send(person, log, len(person.waiting))
            person.open([p.update for p in log])
            person.seen = len(log)
    for person in people:
        _send(person, log, len(person.waiting))
        person.close()
    return log


def _send(person: Person, log: list[Positioned], count: int) -> None:
    log += [Positioned(person.number, update) for update in person.waiting[:count]]
    del person.waiting[:count]


def _pull(person: Person, log: list[Positioned]) -> None:
    person.merge([p.update for p in log[person.seen :]])
    person.seen = len(log)


def _writer(number: int) -> Person:
    held: list[Document] = []

    def close() -> None:
        for document in held:
            document.close()

    def open_(updates: list[bytes]) -> None:
        close()
        document = Document(person.waiting.append)
        document.merge(updates)
        held[:] = [document]

    person = Person(number, open_, lambda rng: write(rng, held[0]), lambda updates: held[0].merge(updates), close)
    return person


def write(rng: Random, document: Document) -> None:
    """One edit of a document."""
    size = document.length_utf16
    at, length = rng.randint(0, size), rng.choice((0, 0, 0, 1, 2, 7, 40))
    match rng.randrange(16):
        case 0:
            document.undo()
        case 1:
            document.redo()
        case 2:
            document.set_title(rng.choice(WORDS) + str(rng.randrange(9)))
        case 3 | 4:
            document.format(at, min(size - at, length + 3), rng.choice(MARKS))
        case 5:
            last = len(document.blocks()) - 1
            first = rng.randint(0, last)
            document.set_block(first, min(last, first + 2), Style(heading=rng.randrange(3)))
        case 6:
            document.splice(at, min(size - at, 30), "")
        case 7:
            document.splice(at, 0, rng.choice(WORDS) * round(2 ** rng.uniform(0, 9)), PLAIN._replace(bold=True))
        case 8:
            document.split_undo()
        case _:
            document.splice(at, min(size - at, length), rng.choice(WORDS) * rng.randint(1, 3))


def _planner(number: int) -> Person:
    held: list[Board] = []

    def close() -> None:
        for board in held:
            board.close()

    def open_(updates: list[bytes]) -> None:
        close()
        board = Board(person.waiting.append)
        board.merge(updates)
        held[:] = [board]

    person = Person(number, open_, lambda rng: plan(rng, held[0]), lambda updates: held[0].merge(updates), close)
    return person


def plan(rng: Random, board: Board) -> None:
    """One edit of a board."""
    columns, cards, labels = board.columns(), board.all_cards(), board.labels()
    column, word = rng.choice(columns).id, rng.choice(WORDS) + str(rng.randrange(99))
    if not cards or rng.random() < 0.15:
        board.add_card(column, word, description=word * 3, t=1_700_000_000_000, by=Uid(b"u" * 16))
        return
    card = rng.choice(cards)
    items = [item.id for item in card.checklist]
    match rng.randrange(18):
        case 0:
            board.undo.undo()
        case 1:
            board.undo.redo()
        case 2:
            board.rename(word)
        case 3:
            board.add_column(word)
        case 4 if len(columns) > 2:
            board.delete_column(column)
        case 5:
            board.move_column(column, rng.choice(columns).id)
        case 6:
            board.rename_column(column, word)
        case 7 | 8:
            board.move_card(card.id, column, rng.choice(cards).id)
        case 9:
            board.edit_card(card.id, title=word, description=word * 5)
        case 10:
            board.assign(card.id, Uid(b"p" * 16) if rng.random() < 0.6 else None)
        case 11:
            board.set_due(card.id, date(2027, 1, 1 + rng.randrange(28)))
        case 12:
            board.archive_card(card.id, rng.random() < 0.5) if rng.random() < 0.5 else board.delete_card(card.id)
        case 13:
            board.add_label(word, "red")
        case 14 if labels:
            board.set_label(card.id, rng.choice(labels).id, rng.random() < 0.6)
        case 15 if items:
            board.delete_check_item(card.id, rng.choice(items))
        case 16 if items:
            board.toggle_check_item(card.id, rng.choice(items), True)
        case _:
            board.add_check_item(card.id, word)
