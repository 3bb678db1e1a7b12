# SPDX-License-Identifier: EUPL-1.2
"""The bytes of presence: what another program may have written is ignored, or shown plainly."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.enums import Presence
from app.objects.object import FORMAT
from app.presence.records import (
    MAX_BACK_DAYS,
    MAX_TEXT,
    Ask,
    Choice,
    DevicePresence,
    Gone,
    Here,
    encode,
    here,
    read,
    read_stored,
    stored,
)
from tests.app.presence.simulated import START_MS

TODAY = clock.local(START_MS).date()


def received(**fields: object) -> DevicePresence:
    found = read(encode(Here(**{"state": "busy", **fields})), START_MS)  # type: ignore[arg-type]
    assert isinstance(found, DevicePresence)
    return found


def test_what_is_sent_is_received() -> None:
    day = TODAY + timedelta(days=5)
    choice = Choice(state=Presence.BUSY, text="Förhandling, åter på fredag 🙂", back_on=day, chosen_ms=START_MS)
    device = DevicePresence(choice=choice, in_use=False, in_call=True, is_new=True)
    assert read(encode(here(device)), START_MS) == device
    assert read(encode(Ask()), START_MS) == Ask()
    assert read(encode(Gone()), START_MS) == Gone()


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x01", b"\x09" + encode(Gone())[1:], b"skriver", encode(Gone())[:-1], encode(Here(state="busy"))[:-2],
     bytes([FORMAT]) + msgspec.msgpack.encode({"type": "here", "state": 7}),
     encode(Here(state="busy", text="å" * 5000)),
     bytes([FORMAT]) + msgspec.msgpack.encode({"type": "newer"})],
)  # fmt: skip
def test_damaged_messages_are_ignored(payload: bytes) -> None:
    assert read(payload, START_MS) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise(payload: bytes) -> None:
    read(payload, START_MS)
    read(bytes([FORMAT]) + payload, START_MS)


def test_fields_of_a_newer_program_are_skipped() -> None:
    newer = {"type": "here", "state": "busy", "place": "Malmö", "text": "Upptagen å"}
    found = read(bytes([FORMAT]) + msgspec.msgpack.encode(newer), START_MS)
    assert isinstance(found, DevicePresence)
    assert found.choice.text == "Upptagen å"


def test_a_state_that_is_not_known_shows_nothing() -> None:
    assert read(encode(Here(state="lunch")), START_MS) == Gone()


def test_the_text_is_one_line_without_control_characters_and_cut() -> None:
    assert received(text="Strax\n\x07 åter‮").choice.text == "Strax åter"
    assert len(received(text="å" * 500).choice.text) == MAX_TEXT


@pytest.mark.parametrize(
    "back_on",
    ["2020-01-01", "9999-12-31", "fredag", "2026-13-01", "20261204", "2026-W49-5", TODAY.isoformat(),
     (TODAY + timedelta(days=MAX_BACK_DAYS + 1)).isoformat()],
)  # fmt: skip
def test_a_day_that_cannot_be_meant_is_left_out(back_on: str) -> None:
    assert received(back_on=back_on).choice.back_on is None


def test_a_choice_from_the_future_counts_as_made_now() -> None:
    assert received(chosen_ms=2**62).choice.chosen_ms == START_MS
    assert received(chosen_ms=-5).choice.chosen_ms == 0


def test_the_own_choice_is_stored_until_the_day_on_which_the_person_is_back() -> None:
    day = TODAY + timedelta(days=3)
    choice = Choice(state=Presence.AWAY, text="Semester 🏖", back_on=day, chosen_ms=START_MS)
    assert read_stored(stored(choice), START_MS) == choice
    assert read_stored(stored(choice), START_MS + 3 * 86_400_000) == Choice()
    assert [read_stored(text, START_MS) for text in ("", "{", "[]", '{"type":"here","state":"x"}')] == [Choice()] * 4


def test_from_the_day_on_which_a_person_is_back_they_are_available() -> None:
    choice = Choice(state=Presence.AWAY, text="Semester", back_on=date(2027, 1, 7), chosen_ms=5)
    assert choice.at(START_MS) == choice
    assert choice.at(START_MS + 200 * 86_400_000) == Choice(chosen_ms=5)
