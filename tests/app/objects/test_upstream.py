# SPDX-License-Identifier: EUPL-1.2
"""The faults of docs/upstream/yrs.md, each tried in a process of its own. A test that fails here is good news: the
library has been fixed, and the page must be changed. How our own grammar and judge handle them is tested elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.objects.grammar import read
from tests.fuzz.blocks import DELETED, GC, TEXT, TYPE, VALUES, Block, Blocks, Section, parse, write
from tests.fuzz.test_structures import AFTER_FREE

pytestmark = pytest.mark.slow  # each starts a process


def update(client: int, *blocks: Block, clock: int = 0) -> bytes:
    return write(Blocks([Section(client, clock, list(blocks))]))


FILLED = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""glibc fills freed memory with other bytes. Without the second setting it leaves small pieces as they were, until they
are allocated again."""


def tried(updates: list[bytes], then: str = "", limit_s: float = 300) -> tuple[int, str]:
    """(exit code, what was printed) of a process that applies the updates to a document with the text "x". After an
    empty one it prints the document's update, and begins another."""
    code = (
        "import sys, pycrdt\n"
        "doc = pycrdt.Doc(); doc['x'] = text = pycrdt.Text()\n"
        "for line in sys.stdin:\n"
        "    if line.strip():\n"
        "        doc.apply_update(bytes.fromhex(line))\n"
        "    else:\n"
        "        print(doc.get_update().hex())\n"
        "        doc = pycrdt.Doc()\n"
    )
    return ran(code + then, "".join(data.hex() + "\n" for data in updates), limit_s)


def ran(code: str, given: str = "", limit_s: float = 300) -> tuple[int, str]:
    """(exit code, what was printed) of a process with this code; 124 if it takes more than `limit_s`."""
    command, env = [sys.executable, "-c", code], os.environ | FILLED
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False, timeout=limit_s, env=env
        )
    except subprocess.TimeoutExpired:
        return 124, ""
    return done.returncode, done.stdout.strip()


def test_one_items_end_that_is_known_before_its_beginning_ends_the_process() -> None:
    first = update(1, Block(TEXT, "ab", origin=(1, 1)))
    second = update(1, Block(GC, 1), clock=1)
    assert (first.hex(), second.hex()) == ("0101010084010102616200", "01010101000100")
    assert tried([first, second])[0] == -11


def test_it_does_so_too_without_an_item_that_names_itself() -> None:
    """Three updates that the grammar takes: it is the judge that lets no end come before its beginning."""
    updates = [update(2, Block(GC, 1)), update(1, Block(GC, 1), clock=1), update(1, Block(TEXT, "ab", origin=(2, 0)))]
    assert [u.hex() for u in updates] == ["01010200000100", "01010101000100", "0101010084020002616200"]
    assert tried(updates)[0] == -11


def test_a_deep_value_ends_the_process() -> None:
    assert tried([update(1, Block(VALUES, [b"\x75\1" * 90_000 + b"\x7e"], parent="m", key="k"))])[0] == -11


def test_a_deletion_of_what_is_not_there_yet_is_kept() -> None:
    updates = [write(Blocks([], [(7, [[0, 5]])])), update(7, Block(TEXT, "Beslut", parent="x"))]
    assert tried(updates, "print(str(text))") == (0, "t")


def test_a_neighbour_inside_a_pair_makes_copies_differ() -> None:
    updates = [update(7, Block(TEXT, "a🙂b", parent="x")), update(8, Block(TEXT, "X", origin=(7, 1), right=(7, 2)))]
    again = "two = pycrdt.Doc(); two['x'] = t = pycrdt.Text(); two.apply_update(doc.get_update())\n"
    code, shown = tried(updates, again + "print(ascii(str(text)), ascii(str(t)))")
    assert (code, shown) == (0, ascii("a🙂Xb") + " " + ascii("a🙂bX"))


def test_an_array_with_an_emoji_in_a_text_is_read_for_ever() -> None:
    made = update(5, Block(TYPE, 0, parent="m", key="in"), Block(TEXT, "🙂b", parent=(5, 0)))
    code, _ = tried([made], "doc['m'] = m = pycrdt.Map(); print([m['in'][i] for i in range(3)])", limit_s=10)
    assert code == 124


def test_a_client_above_53_bits_continues_another() -> None:
    updates = [
        update(7, Block(TEXT, "ab", parent="x")),
        update(2**53 + 7, Block(TEXT, "cd", origin=(7, 1)), clock=2),
    ]
    assert tried(updates, "print(str(text))") == (0, "abcd")


MAP = update(1, Block(TYPE, 1, parent="m", key="in"))
TWO = Block(VALUES, ["a", "b"], parent=(1, 0), key="k")
MAP_GONE = write(Blocks([], [(1, [[0, 1]])]))
WRITE = "print(doc.get_update().hex())"


def cuts() -> list[list[bytes]]:
    """What cuts the two values of client 2 in two, or deletes one of them: in one update or in two."""

    def deleted(*ranges: list[int]) -> bytes:
        return write(Blocks([], [(2, list(ranges))]))

    before = update(3, Block(VALUES, ["c"], right=(2, 1), flags=0x20))
    behind = update(3, Block(VALUES, ["c"], origin=(2, 0), flags=0x20))
    nothing = update(4, Block(DELETED, 2, origin=(2, 0), flags=0x20))
    one, other = deleted([0, 1]), deleted([1, 1])
    return [[other], [before], [behind], [nothing], [one, before], [before, other], [behind, one], [behind, nothing]]


@pytest.mark.parametrize("cut", [*cuts()[:4], cuts()[5]])
def test_a_value_before_others_under_a_key_points_to_its_freed_map(cut: list[bytes]) -> None:
    assert tried([MAP, update(2, TWO), *cut, MAP_GONE], WRITE)[0] == -11


def test_the_generators_four_updates_do_so_too() -> None:
    assert tried([bytes.fromhex(update) for update in AFTER_FREE], WRITE)[0] == -11


@pytest.mark.parametrize("two", [TWO, Block(DELETED, 2, parent=(1, 0), key="k")])
def test_values_that_their_own_update_deletes_point_to_nothing_however_they_are_cut(two: Block) -> None:
    """Which is why the grammar lets them pass. They are cut in their own update, in a later one, and in one that comes
    when the map is gone. One process takes all of it."""
    lines, many = list[bytes](), list[list[bytes]]()
    for cut in cuts():
        together = [section for data in cut for section in parse(data).sections]
        made = write(Blocks([Section(2, 0, [two])], [(2, [[0, 2]])]))
        whole = write(Blocks([*together[::-1], Section(2, 0, [two])], [(2, [[0, 2]])]))
        many += [MAP, made, *cut, MAP_GONE], [MAP, whole, MAP_GONE], [MAP, made, MAP_GONE, *cut]
    for updates in many:
        lines += [*updates, b""]
    code, shown = tried(lines)
    assert code == 0
    assert len(shown.splitlines()) == len(many)
    for state in map(bytes.fromhex, shown.splitlines()):
        read(state, state=True)
        assert all(block.kind in (DELETED, GC) for block in parse(state).sections[-1].blocks)


def test_a_value_that_undo_keeps_points_to_its_freed_map() -> None:
    page = (Path(__file__).parents[3] / "docs/upstream/yrs.md").read_text(encoding="utf-8")
    code = page.partition("\n## 8. ")[2].partition("```python\n")[2].partition("```")[0]
    assert ran(code)[0] == -11
    assert ran(code.replace("client_id=7", "client_id=7, skip_gc=True")) == (0, "")
