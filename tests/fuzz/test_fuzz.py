# SPDX-License-Identifier: EUPL-1.2
"""The fuzzer with a small fixed budget, in `make test`; at length it is `make fuzz`."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from sync.crypto.encoding import dec
from sync.errors import BugError, Reject
from tests.fuzz import plain, samples, tool_samples
from tests.fuzz.mutations import mutate
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]


class Panic(BaseException):
    """As a Rust library's."""


def raising(error: BaseException) -> Callable[[], Callable[[bytes], object]]:
    def run(data: bytes) -> None:
        raise error

    return lambda: run


@pytest.mark.longest
@pytest.mark.slow
def test_every_decoder_refuses_what_it_cannot_read_and_does_nothing_else() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--plain", "--runs", "20000"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count(" inputs ") == len(TARGETS) + 1


@pytest.mark.parametrize("error", [KeyError("x"), BugError("x"), Reject(""), RecursionError(), Panic()])
def test_a_fault_is_not_taken_for_a_refusal(error: BaseException) -> None:
    run = Target(name="x", make=raising(error), seeds=tool_samples.texts).prepare()
    with pytest.raises((KeyError, BugError, RecursionError, AssertionError)):
        run(b"")


def test_what_it_fails_on_is_kept_also_of_what_it_begins_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plain, "BUILD", tmp_path)
    monkeypatch.setitem(TARGETS, "x", Target(name="x", make=raising(KeyError("x")), seeds=lambda: [b"first"]))
    with pytest.raises(KeyError):
        plain.run("x", 1, 1)
    assert (tmp_path / "x-plain").read_bytes() == b"first"


def test_a_refusal_with_a_code_is_none() -> None:
    Target(name="x", make=raising(Reject("malformed")), seeds=tool_samples.texts).prepare()(b"")


@pytest.mark.parametrize("name", ["encoding", "user-log", "room-stream", "chat"])
def test_what_it_begins_with_is_taken(name: str) -> None:
    """Otherwise nothing behind the first check would ever be reached."""
    run = TARGETS[name].make()
    for data in TARGETS[name].seeds():
        run(data)


def test_changed_values_are_still_encodings_now_and_then() -> None:
    rng, seeds, good = Random(1), samples.room_entries(), 0
    for _ in range(300):
        try:
            dec(mutate(rng, rng.choice(seeds), seeds), limit=samples.LIMIT)
            good += 1
        except Reject:
            continue
    assert good > 60
