# SPDX-License-Identifier: EUPL-1.2
"""Runs a module, and notes when a message passes each station in its process.

`python -m tests.bench.traced FILE MODULE ARGUMENT…` writes `[station, time]` pairs to FILE when the process ends; times
are CLOCK_MONOTONIC in ns. The stations are functions of the product, which are wrapped here: the product knows nothing
of it. A wrapped call costs about 1 µs.
"""

import atexit
import functools
import importlib
import json
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Marks = list[tuple[str, int]]

# (station, "module:attribute", before or after the call)
DESK = (
    ("send", "app.chat.service:ChatService.send", "before"),
    ("key", "app.richtext.model:Document.splice", "before"),
    ("rows written", "app.store.outbox:Outbox._encrypt_written", "before"),
    ("signed", "app.store.outbox:Outbox.put_sealed", "before"),
    ("encrypted", "app.store.outbox:Outbox._encrypt_written", "after"),
    ("committed", "app.store.database:Database._commit", "after"),
    ("on the line", "sync.client.wire.egress:WebSocketTransport.send_at_once", "after"),
    ("answer", "sync.client.exchange.receipt_verifier:ReceiptVerifier.placed", "before"),
    ("bytes here", "websockets.asyncio.connection:Connection.data_received", "before"),
    ("frame here", "sync.client.exchange.inbox:Inbox.on_frame", "before"),
    ("judging", "sync.client.exchange.slice_reader:SliceReader.read", "before"),
    ("judged", "sync.client.room.room_sync:RoomSync.open_all", "before"),
    ("opened", "app.store.inbox:Inbox.receive_apart", "before"),
    ("trial", "app.worker.soon:ask", "before"),
    ("tried", "app.store.rehearsal:Rehearsal._passed", "before"),
    ("begun", "app.store.inbox:Inbox._write", "before"),
    ("written", "app.store.inbox:Inbox._write", "after"),
    ("shown", "app.chat.service:ChatService._on_changes", "before"),
    ("in the model", "app.richtext.model:Document._emit_spliced", "before"),
    ("flushed", "app.store.database:flush_log", "after"),
)
WINDOW = (
    ("pressed", "PySide6.QtTest:QTest.keyClick", "before"),
    ("in the editor", "ui.richtext.editor:Editor.keyPressEvent", "before"),
    ("key done", "ui.richtext.editor:Editor.keyPressEvent", "after"),
    ("at the other editor", "ui.richtext.binding:Binding._on_changed", "before"),
    ("in its text", "ui.richtext.binding:Binding._on_changed", "after"),
    ("painting", "ui.richtext.editor:Editor.paintEvent", "before"),
    ("painted", "ui.richtext.editor:Editor.paintEvent", "after"),
    ("lists", "ui.kit.bind:Soon._call", "before"),
)
SERVER = (
    ("bytes here", "sync.server.process.uvicorn_protocols:SocketProtocol.data_received", "before"),
    ("request", "sync.server.rules.placing:Placing.push", "before"),
    ("judging", "sync.server.rules.placing:Placing._judge", "before"),
    ("judged", "sync.server.rules.placing:Placing.begin", "before"),
    ("queued", "sync.server.store.sql:SqlStore.place", "after"),
    ("writing", "sync.server.store.writer:Writer._commit", "before"),
    ("written", "sync.server.store.sql:place", "after"),
    ("committed", "sync.server.store.writer:Writer._commit", "after"),
    ("back", "sync.server.store.writer:_answer", "before"),
    ("answering", "sync.server.load.fanout:Hub.news", "before"),
    ("sent", "sync.server.process.uvicorn_protocols:SocketProtocol.write", "after"),
)
STATIONS = {"tests.bench.desk": DESK, "tests.bench.window_desk": DESK + WINDOW, "sync.server": SERVER}


def note_stations(stations: tuple[tuple[str, str, str], ...]) -> Marks:
    """Wraps the functions. Returns the list to which the passages of stations are added."""
    marks: Marks = []
    for station, place, when in stations:
        module, path = place.split(":")
        *owners, name = path.split(".")
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        wrap = _before if when == "before" else _after
        setattr(owner, name, wrap(getattr(owner, name), functools.partial(_note, marks, station)))
    return marks


def _note(marks: Marks, station: str) -> None:
    marks.append((station, time.monotonic_ns()))


def _before(call: Callable[..., Any], note: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(call)
    def noted(*given: Any, **named: Any) -> Any:
        note()
        return call(*given, **named)

    return noted


def _after(call: Callable[..., Any], note: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(call)
    def noted(*given: Any, **named: Any) -> Any:
        result = call(*given, **named)
        note()
        return result

    return noted


def main() -> None:
    file, module = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    marks = note_stations(STATIONS[module])
    atexit.register(lambda: file.write_text(json.dumps(marks), encoding="utf-8"))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
