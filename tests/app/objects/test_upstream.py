# SPDX-License-Identifier: EUPL-1.2
"""The faults of docs/upstream/yrs.md, each tried in a process of its own. A test that fails here is good news: the
library has been mended, and the page is to say so. What our own grammar and judge make of them is tested elsewhere."""

import subprocess
import sys

import pytest

from tests.fuzz.blocks import GC, TEXT, TYPE, VALUES, Block, Blocks, Section, write

pytestmark = pytest.mark.slow  # each starts a process


def update(client: int, *blocks: Block, clock: int = 0) -> bytes:
    return write(Blocks([Section(client, clock, list(blocks))]))


def tried(updates: list[bytes], then: str = "") -> tuple[int, str]:
    """(exit code, what was printed) of a process that applies the updates to a document with the text "x"."""
    code = (
        "import sys, pycrdt\n"
        "doc = pycrdt.Doc(); doc['x'] = text = pycrdt.Text()\n"
        "for line in sys.stdin:\n"
        "    doc.apply_update(bytes.fromhex(line))\n"
    )
    given = "\n".join(data.hex() for data in updates)
    command = [sys.executable, "-c", code + then]
    try:
        ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        return 124, ""
    return ran.returncode, ran.stdout.strip()


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
    code, said = tried(updates, again + "print(ascii(str(text)), ascii(str(t)))")
    assert (code, said) == (0, ascii("a🙂Xb") + " " + ascii("a🙂bX"))


def test_an_array_with_an_emoji_in_a_text_is_read_for_ever() -> None:
    made = update(5, Block(TYPE, 0, parent="m", key="in"), Block(TEXT, "🙂b", parent=(5, 0)))
    code, _ = tried([made], "doc['m'] = m = pycrdt.Map(); print([m['in'][i] for i in range(3)])")
    assert code == 124


def test_a_client_above_53_bits_continues_another() -> None:
    updates = [
        update(7, Block(TEXT, "ab", parent="x")),
        update(2**53 + 7, Block(TEXT, "cd", origin=(7, 1)), clock=2),
    ]
    assert tried(updates, "print(str(text))") == (0, "abcd")
