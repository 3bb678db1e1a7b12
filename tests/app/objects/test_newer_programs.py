# SPDX-License-Identifier: EUPL-1.2
"""A newer program's formats are never void: this version and one with 5,000 more roots and a nested text write in one
document. Roots that nobody here knows are kept and not shown."""

from typing import Any

import pycrdt

from app.objects.beginning import begin
from app.objects.compaction import state_of
from app.objects.grammar import read
from app.objects.judging import Kind
from app.objects.structure_codec import encode
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS, Document
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import Judging, person

ROOTS = 5000


class Newer:
    """A later version: each cell of its tables is a root of its own, and `meta` holds a text."""

    def __init__(self, log: list[Positioned]) -> None:
        self.log, self.at = log, 0
        self.doc: Any = pycrdt.Doc()
        self.doc["meta"], self.doc["text"] = pycrdt.Map(), pycrdt.Text()
        self.updates: list[bytes] = []
        self.doc.observe(lambda event: self.updates.append(event.update))

    def catch_up(self) -> None:
        for positioned in self.log[self.at :]:
            self.doc.apply_update(positioned.update)
        self.at = len(self.log)
        self.updates.clear()

    def send(self) -> None:
        self.log += [Positioned(1, update) for update in self.updates]
        self.at = len(self.log)
        self.updates.clear()

    def write(self) -> None:
        cells = [pycrdt.Text() for _ in range(ROOTS)]
        for n, cell in enumerate(cells):
            self.doc[f"cell/{n:016x}/{n * 7:016x}"] = cell
        with self.doc.transaction():
            for cell in cells:  # not self.doc[name]: looking up a root in a transaction costs milliseconds
                cell.insert(0, "å🙂")
            self.doc["meta"]["summary"] = pycrdt.Text("Sammanfattning 🙂")
        self.send()
        self.doc["meta"]["summary"].insert(0, "Kort ")
        self.doc["text"].insert(0, "Nytt: ")
        self.send()


def test_a_newer_programs_roots_and_nested_texts_are_kept_and_never_void() -> None:
    log: list[Positioned] = []
    mine = Document(lambda update: log.append(Positioned(0, update)))
    mine.set_up("Beslut 🙂")
    newer = Newer(log)
    newer.catch_up()
    newer.write()
    assert mine.merge([p.update for p in log if p.author == 1]) == 0
    mine.splice(0, 0, "Gammalt: ")
    newer.catch_up()
    newer.write()
    judging = Judging()
    for position, positioned in enumerate(log):
        (verdict,) = judging.offer(position, person(positioned.author), read(positioned.update))
        assert verdict.kind is Kind.MERGED
    found = state_of([p.update for p in log], texts=ROOT_TEXTS, maps=ROOT_MAPS)
    assert found is not None
    begin(read(found[0], state=True), encode(judging.judge.structure))
    again = Document()
    assert again.merge([found[0]]) == 0
    assert (again.title, again.plain_text().strip()) == ("Beslut 🙂", "Nytt: Gammalt: Nytt:")
    later: Any = pycrdt.Doc()
    later.apply_update(found[0])
    assert str(later.get(f"cell/{0:016x}/{0:016x}", type=pycrdt.Text)) == "å🙂å🙂"
