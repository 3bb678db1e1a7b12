# SPDX-License-Identifier: EUPL-1.2
"""The structured generator: what it begins with, what it reaches, and that a process that dies of an input is told."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from app.objects.grammar import client_begun, read
from tests.fuzz import histories, judged
from tests.fuzz.blocks import TEXT, Block, Blocks, parse, sealed, write
from tests.fuzz.contents import MOST_BYTES, Known, delete_several, grow
from tests.fuzz.feeding import ChildDied, Feeder
from tests.fuzz.filling import fill, sectioned
from tests.fuzz.fitting import Grown
from tests.fuzz.histories import Positioned
from tests.fuzz.streams import stream
from tests.fuzz.structures import mutate, pack, unpack

ROOT = Path(__file__).parents[2]
MODULES = ("lib0", "values", "json_texts", "grammar")
CRASH = (
    (
        "010502000401017803610a62080105626f61726400880205037add923520c3ff50f9760201617d000162787a702c1a9841c4c00c"
        "49020504677569647e000300"
    ),
    "020302050080808080088801030375007b08422d15eb64a5087b523608d21fe5aa55890300046775696479020201810103028103040100",
)
"""Two updates of an audit, in this order: yrs 0.28 uses memory that it has given back."""
AFTER_FREE = (
    "010201002701066c6162656c7302696e012700010002696e0100",
    "01010200280001010174027400740000",
    "000102010101",
    "010104002101066c6162656c7302696e0100",
)
"""Four updates that the generator found, in this order. yrs 0.28 reads the parent of a value after it gave it back."""


@pytest.fixture
def feeder() -> Iterator[Feeder]:
    feeder = Feeder()
    yield feeder
    feeder.close()


@pytest.mark.parametrize("make", [histories.document, histories.board])
def test_what_tools_write_is_read_and_written_again_byte_by_byte(make: object) -> None:
    history = make(Random(1))  # type: ignore[operator]
    assert len({p.author for p in history}) == 3
    for positioned in history:
        assert write(parse(positioned.update)) == positioned.update
    assert unpack(pack(history)) == history


def test_a_history_of_the_tools_is_merged_by_the_child(feeder: Feeder) -> None:
    assert feeder.feed(pack(histories.document(Random(2))))
    assert feeder.feed(pack(histories.board(Random(2))))
    assert not feeder.feed(pack([Positioned(0, b"\xff\xff")]))


def test_the_death_of_a_child_is_told_and_the_next_input_finds_a_new_one(feeder: Feeder) -> None:
    history = pack([Positioned(0, bytes.fromhex(update)) for update in CRASH])
    with pytest.raises(ChildDied) as died:
        feeder.feed(history)
    assert died.value.signal == 11
    assert feeder.feed(pack(histories.document(Random(3), rounds=5)))


def test_every_size_is_made() -> None:
    rng, sizes = Random(1), set()
    known = Known(histories.board(rng, rounds=10))
    for _ in range(400):
        blocks = Blocks()
        grow(rng, blocks, known)
        sizes.add(len(write(blocks)).bit_length())
    assert sizes >= set(range(6, 18))


def test_an_input_is_a_function_of_its_number() -> None:
    seeds = [pack(histories.board(Random(1), rounds=10))]
    first = [mutate(Random(n), seeds[0], seeds) for n in range(20)]
    assert first == [mutate(Random(n), seeds[0], seeds) for n in range(20)]
    assert len(set(first)) > 15
    assert all(len(p.update) <= MOST_BYTES + 1 for data in first for p in unpack(data))


def test_a_long_history_is_a_function_of_its_number_in_every_process() -> None:
    code = (
        "import hashlib; from random import Random; from tests.fuzz.streams import stream\n"
        "print(hashlib.sha256(b''.join(p.update for n in range(4) for p in stream(Random(n)).history)).hexdigest())"
    )
    ran = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True) for _ in range(2)]
    assert ran[0].stdout == ran[1].stdout
    assert len(ran[0].stdout) == 65


def test_long_histories_have_every_size_as_often_and_half_of_them_pass() -> None:
    """Each power of two from 32 B to 128 KiB has a thirteenth of the updates, more or less."""
    counts, verdicts, authors, clients = Counter[int](), Counter[str](), set(), set()
    for seed in range(25):
        made = stream(Random(seed))
        counts.update(len(p.update).bit_length() - 1 for p in made.history[made.begun :])
        judged.passed(made.history, verdicts)
        authors |= {p.author for p in made.history}
        clients |= {client_begun(p.update) for p in made.history}
    whole = sum(counts.values())
    assert all(0.04 < counts[power] / whole < 0.12 for power in range(5, 17))
    assert verdicts["merged"] > verdicts.total() / 2
    assert {"late", "again", "void foreign", "void apart", "void keyed", "void unfit"} <= set(verdicts)
    assert len({name for name in verdicts if name.startswith("bad ")}) > 12
    assert authors == {0, 1, 2, 3}
    assert len(clients) > 400


def test_a_large_update_has_one_thing_or_thousands() -> None:
    known, most, fewest = Grown(), 0, 1 << 20
    for things in (1, 100_000):
        for seed in range(60):
            blocks = sectioned(7, 0, [])
            fill(Random(seed), blocks, known, 100_000, things)
            delete_several(blocks)
            update = write(blocks)
            assert 60_000 < len(update) < 1 << 18
            items = read(update).items if things > 1 else len(blocks.sections[0].blocks)
            most, fewest = max(most, items), min(fewest, items)
    assert fewest == 1
    assert most > 10_000


def test_a_block_that_keeps_its_bytes_is_changed_only_as_a_copy() -> None:
    block = sealed(Block(TEXT, "a", parent="text"))
    copy = block.copy()
    copy.content = "b"
    (one,) = parse(write(sectioned(7, 0, [block]))).sections[0].blocks
    (other,) = parse(write(sectioned(7, 0, [copy]))).sections[0].blocks
    assert (one.content, other.content) == ("a", "b")


@pytest.mark.longest
@pytest.mark.slow
def test_the_generator_takes_every_branch_and_half_of_its_updates_pass(tmp_path: Path) -> None:
    cover = [sys.executable, "-m", "coverage"]
    found = ",".join(f"app/objects/{name}.py" for name in MODULES)
    options = ["--rcfile=/dev/null", "--branch", f"--include={found}"]
    env = os.environ | {"COVERAGE_FILE": str(tmp_path / "coverage")}
    command = [*cover, "run", *options, "-m", "tests.fuzz.reaching", "700"]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    counts: dict[str, int] = json.loads(ran.stdout)
    bad = sum(count for name, count in counts.items() if name.startswith("bad "))
    assert bad < sum(counts.values()) / 2
    told = tmp_path / "told.json"
    subprocess.run([*cover, "json", "--rcfile=/dev/null", "-q", "-o", str(told)], cwd=ROOT, env=env, check=True)
    files = json.loads(told.read_text())["files"]
    assert len(files) == len(MODULES)
    missing = {name: file["missing_branches"] for name, file in files.items()}
    missing = {name: branches for name, branches in missing.items() if branches}
    assert not missing
