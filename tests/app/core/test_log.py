# SPDX-License-Identifier: EUPL-1.2
"""Logs hold ids, counts, sizes and codes, and never what was written."""

import logging
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from app.core import log

CANARY = "Kungsgatan 17, åtgärd 🙂"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    log.start(tmp_path / "logs")
    yield tmp_path / "logs"
    log.stop()


def lines(folder: Path) -> str:
    return "".join(p.read_text(encoding="utf-8") for p in sorted(folder.iterdir()))


def test_what_may_be_read_by_anybody_is_written(folder: Path) -> None:
    log.store.info("opened", version=3, ms=1.25, room=b"abcdefgh", code="store-newer", new=True, none=None)
    log.sync.debug("not shown at this level")
    assert lines(folder).endswith("I store opened version=3 ms=1.2 room=61626364 code=store-newer new=true none=none\n")


def test_texts_names_and_messages_are_not(folder: Path) -> None:
    for subject in (log.sync, log.store, log.crypto, log.ui):
        subject.error("event", code=CANARY, name="Handläggare Ek", path="/home/x/Ärende.odt")
        subject.warning(CANARY)
        try:
            raise ValueError(CANARY)
        except ValueError as e:
            subject.exception("failed", e)
            logging.getLogger("ui").exception("a library's own words")
    text = lines(folder)
    assert "ValueError" in text
    assert "test_log.py" in text
    for word in ("Kungsgatan", "åtgärd", "Ek", "Ärende", "/home"):
        assert word not in text


def test_how_much_is_written_can_be_changed_while_it_is_open(folder: Path) -> None:
    log.set_level("debug")
    log.sync.debug("shown")
    log.set_level("warning")
    log.sync.info("hidden")
    assert lines(folder).endswith("D sync shown\n")


@pytest.mark.slow
def test_the_file_rotates(folder: Path) -> None:
    for _ in range(30_000):
        log.ui.warning("event", count=1_000_000_000_000_000_000, size=1_000_000_000_000_000_000)
    files = list(folder.iterdir())
    assert 2 <= len(files) <= 3
    assert all(f.stat().st_size <= 1_000_000 for f in files)


class Collected(logging.Handler):
    """Every line, in the order in which they were written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_no_line_of_another_thread_is_between_an_error_and_its_places(folder: Path) -> None:
    done, collected = threading.Event(), Collected()
    for name in ("store", "ui"):
        logging.getLogger(name).addHandler(collected)

    def write() -> None:
        while not done.is_set():
            log.ui.info("between")

    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        raise ValueError

    other = threading.Thread(target=write)
    other.start()
    try:
        for _ in range(30):
            try:
                fail(10)
            except ValueError as error:
                log.store.exception("failed", error)
    finally:
        done.set()
        other.join()
        for name in ("store", "ui"):
            logging.getLogger(name).removeHandler(collected)
    assert "between" in collected.lines
    before = [one for one, line in pairwise(collected.lines) if line.startswith("    at ")]
    assert before
    assert "between" not in before
