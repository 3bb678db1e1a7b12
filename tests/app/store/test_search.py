# SPDX-License-Identifier: EUPL-1.2
"""Search: Swedish letters, unfinished words, titles first."""

import asyncio
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.core import words
from app.core.ids import ObjId
from app.store import search, snippets
from app.store.connection import Connection
from app.store.search import match_of
from app.store.snippets import MARK_END, MARK_START
from tests.app.store.conftest import ROOM, Bench
from tests.patience import PATIENCE_S


def put(bench: Bench, ref: bytes, title: str, body: str, t: int = 1, obj: ObjId | None = None) -> None:
    entry = search.Entry(room=ROOM, obj=obj or ObjId(ROOM), kind="note", ref=ref, t=t, title=title, body=body)
    with bench.store.transaction() as conn:
        search.put(conn, [entry])


def count_words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of texts that are looked at from now on."""
    read: list[str] = []

    class Counting:
        def finditer(self, *args: Any) -> Iterator[re.Match[str]]:
            for match in words.WORD.finditer(*args):
                read.append(match.group())
                yield match

        def match(self, *args: Any) -> re.Match[str] | None:
            return words.WORD.match(*args)

        def findall(self, *args: Any) -> list[str]:
            return [match.group() for match in self.finditer(*args)]

    monkeypatch.setattr(snippets, "WORD", Counting())
    return read


def refs(bench: Bench, text: str) -> list[bytes]:
    return [hit.ref for hit in bench.store.search.find_here(text)]


async def test_what_is_written_to_the_index_is_committed_in_a_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit now and then merges parts of the index, for tens of ms."""
    db = bench.store.db
    at = bench.threads_of_commits(monkeypatch)
    await db.apart(lambda: put(bench, b"1", "", "Beslut å"), is_short=True)
    await bench.store.indexing.index_due()
    await db.apart(lambda: put(bench, b"1", "", "Beslut å", t=2), is_short=True)
    await db.apart(lambda: put(bench, b"1", "", "Beslut 🙂"), is_short=True)
    await bench.store.indexing.index_due()
    await db.apart(lambda: put(bench, b"2", "", "lång " * 2000), is_short=True)
    assert at == ["MainThread", "store-commit", "MainThread", "MainThread", "store-commit", "store-commit"]


def test_swedish_letters_are_letters_of_their_own(bench: Bench) -> None:
    put(bench, b"1", "", "Ansökan om får")
    put(bench, b"2", "", "Ansokan om far")
    assert refs(bench, "får") == [b"1"]
    assert refs(bench, "FÅR") == [b"1"]
    assert refs(bench, "far") == [b"2"]


def test_each_word_may_be_unfinished_and_all_must_occur(bench: Bench) -> None:
    put(bench, b"1", "", "Tillstånd för uteservering 🙂")
    assert refs(bench, "tills") == [b"1"]
    assert refs(bench, "uteserv tillstånd") == [b"1"]
    assert refs(bench, "uteserv till") == [b"1"]
    assert refs(bench, "servering tillstånd") == []
    assert refs(bench, "tillstånd uteserv") == [b"1"]
    assert refs(bench, "tillstånd saknas") == []


def test_a_word_in_a_title_comes_before_one_in_a_body(bench: Bench) -> None:
    put(bench, b"body", "Protokoll", "beslut om taxi och annat")
    put(bench, b"title", "Beslut", "om annat")
    assert refs(bench, "beslut") == [b"title", b"body"]


def test_a_snippet_marks_the_word(bench: Bench) -> None:
    put(bench, b"1", "Rubrik", "ett två TRE fyra")
    (hit,) = bench.store.search.find_here("tre")
    assert hit.snippet == f"ett två {MARK_START}TRE{MARK_END} fyra"
    assert (hit.room, hit.kind, hit.title) == (ROOM, "note", "Rubrik")


def test_nothing_typed_breaks_the_query(bench: Bench) -> None:
    put(bench, b"1", "", "Beslut")
    for text in ("", " ", '"', 'beslut"', "AND", "NEAR(", "*", "a:b", "beslut -", "(beslut", "🙂"):
        bench.store.search.find_here(text)
    assert refs(bench, 'beslut"') == [b"1"]
    assert match_of("dnr 2026:17-3") == '"dnr"* AND "2026"* AND "17"* AND "3"*'


def test_a_place_is_replaced_and_dropped(bench: Bench) -> None:
    put(bench, b"1", "", "gammal text")
    put(bench, b"1", "", "ny text")
    put(bench, b"2", "", "annan text")
    assert (refs(bench, "gammal"), refs(bench, "ny")) == ([], [b"1"])
    with bench.store.transaction() as conn:
        search.drop(conn, ObjId(ROOM), b"1")
    assert refs(bench, "text") == [b"2"]
    with bench.store.transaction() as conn:
        search.drop(conn, ObjId(ROOM))
    assert refs(bench, "text") == []


async def test_a_long_search_lets_the_loop_go_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bench, b"1", "", "beslut")
    real, gone_on = bench.store.db.reader, threading.Event()

    @contextmanager
    def slow() -> Iterator[Connection]:
        assert gone_on.wait(PATIENCE_S)
        with real() as reader:
            yield reader

    monkeypatch.setattr(bench.store.db, "reader", slow)
    asyncio.get_running_loop().call_soon(gone_on.set)
    assert [hit.ref for hit in await bench.store.search.find("beslut")] == [b"1"]


def test_a_search_can_be_kept_to_a_room_and_a_kind(bench: Bench) -> None:
    put(bench, b"1", "", "text")
    assert bench.store.search.find_here("text", room=ROOM, kind="note")
    assert not bench.store.search.find_here("text", kind="chat")


LINES = 20_000


def test_a_long_document_with_the_word_in_every_line_is_shown_by_its_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bench, b"1", "Lång", "\n".join(f"Rad nummer {n} å 🙂" for n in range(LINES)))
    read = count_words(monkeypatch)
    (hit,) = bench.store.search.find_here("nummer 15777")
    assert f"{MARK_START}nummer{MARK_END} {MARK_START}15777{MARK_END} å 🙂" in hit.snippet
    assert len(read) < 500
    read.clear()
    (hit,) = bench.store.search.find_here("nummer")
    assert hit.snippet.startswith(f"Rad {MARK_START}nummer{MARK_END} 0 å 🙂\nRad {MARK_START}nummer{MARK_END} 1")
    assert len(read) < 500


def test_the_index_is_not_asked_to_weigh_every_place_of_a_text(bench: Bench) -> None:
    """FTS5's snippet() compares each match with each: 40,000 in one document took it 20 s."""
    put(bench, b"1", "", "Beslut å")
    asked: list[str] = []
    with bench.store.db.reader() as reader:
        reader.set_trace_callback(asked.append)  # it is lent again
    assert refs(bench, "beslut") == [b"1"]
    assert any("MATCH" in text for text in asked)
    assert not [text for text in asked if "snippet(" in text or "highlight(" in text]


@pytest.mark.parametrize("seed", range(3))
def test_attack_no_word_of_an_edited_or_deleted_text_is_left_in_the_index(bench: Bench, seed: int) -> None:
    """With the places of words, some hundred times the same word in a text left words of other texts findable."""
    chance, texts = random.Random(seed), dict[bytes, str]()
    some = ("ansökan", "beslut", "yttrande", "remiss")
    for _ in range(60):
        ref = b"%d" % chance.randrange(12)
        if ref in texts and chance.random() < 0.3:
            with bench.store.transaction() as conn:
                search.drop(conn, ObjId(ROOM), ref)
            del texts[ref]
            continue
        texts[ref] = " ".join(chance.sample(some, 2)) + " å" * chance.choice([0, 600, 3000, 9000])
        put(bench, ref, "", texts[ref])
    for word in (*some, "å"):
        assert set(refs(bench, word)) == {ref for ref, text in texts.items() if word in text.split()}
    with bench.store.transaction() as conn:
        conn.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")


def test_every_letter_can_be_searched_for(bench: Bench) -> None:
    """The index refuses what is one word for us and several for SQLite."""
    letters = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000 and chr(point).isalnum()]
    for at in range(0, len(letters), 400):
        assert refs(bench, " ".join(f"a{letter}b" for letter in letters[at : at + 400])) == []
