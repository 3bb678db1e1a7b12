# SPDX-License-Identifier: EUPL-1.2
"""Some of the recorded lives again: the client does what it did. `python -m tests.sync.byzantine.lives` replays all."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sync.byzantine import lives
from tests.sync.byzantine.world import World

SOME = "0-11"
COMMAND = (sys.executable, "-m", "tests.sync.byzantine.lives")


@pytest.mark.slow
def test_recorded_lives_give_the_same_frames_rows_verdicts_and_states() -> None:
    """After a change that is meant to alter what the client sends or stores, record them again; see lives.py."""
    done = subprocess.run([*COMMAND, "--lives", SOME], capture_output=True, text=True, check=False)
    assert done.stdout == "12 lives, 12 the same\n", done.stderr[-2000:]
    assert done.returncode == 0


def test_every_life_is_recorded_once() -> None:
    assert list(lives.recorded()) == list(range(lives.LIVES))


@pytest.mark.slow
def test_a_life_that_differs_in_one_step_has_the_same_hashes_before_it_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a transcript shows where a difference begins."""
    before, note, steps = lives.live(1), lives.note_desks, list[int]()

    def differs(transcript: lives.Transcript, machine: World) -> None:
        steps.append(1)
        if len(steps) == 20:
            transcript.note("state", "another")
        note(transcript, machine)

    monkeypatch.setattr(lives, "note_desks", differs)
    after = lives.live(1)
    assert before.steps[:19] == after.steps[:19]
    assert before.steps[19] != after.steps[19]


def test_lives_are_named_by_numbers_and_ranges() -> None:
    assert lives._numbers("3") == [3]
    assert lives._numbers("1-3,8") == [1, 2, 3, 8]


@pytest.mark.slow
def test_a_recording_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    subprocess.run([*COMMAND, "--lives", "1", "--record", "--out", tmp_path / "one"], capture_output=True, check=True)
    assert (tmp_path / "one").read_text() == f"1 {lives.recorded()[1]}\n"
