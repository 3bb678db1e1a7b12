# SPDX-License-Identifier: EUPL-1.2
"""Signals: in order, ended by what connect returned, safe while emitting."""

from app.core.signal import Signal


def test_slots_are_called_in_the_order_of_connecting_until_disconnected() -> None:
    signal: Signal[int, str] = Signal()
    got: list[object] = []
    end = signal.connect(lambda n, text: got.append((1, n, text)))
    signal.connect(lambda n, text: got.append((2, n, text)))
    signal.emit(7, "å")
    end()
    end()
    signal.emit(8, "ä")
    assert got == [(1, 7, "å"), (2, 7, "å"), (2, 8, "ä")]


def test_connecting_and_disconnecting_while_emitting_counts_from_the_next_emit() -> None:
    signal: Signal[()] = Signal()
    got: list[str] = []

    def once() -> None:
        got.append("once")
        end()
        signal.connect(lambda: got.append("late"))

    end = signal.connect(once)
    signal.emit()
    signal.emit()
    assert got == ["once", "late"]


def test_a_slot_that_is_connected_twice_is_disconnected_once_by_each() -> None:
    signal: Signal[int] = Signal()
    got: list[int] = []
    slot = got.append
    end, end_other = signal.connect(slot), signal.connect(slot)
    end()
    end()
    signal.emit(1)
    end_other()
    signal.emit(2)
    assert got == [1]
