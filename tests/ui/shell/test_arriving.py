# SPDX-License-Identifier: EUPL-1.2
"""A link from outside opens what is here, or a sentence says why not; it never does anything."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import ObjId, RoomId
from app.objects.links import ObjectLink
from tests.ui.finding import toast_of
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import BOARD, CASE
from ui.shell.window.main_window import MainWindow
from ui.shell.window.outside_links import is_invitation, judge

ENROL = "kansli://enrol?server=kansli.example&code=ABCD-EFGH"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ENROL, "första start"),
        ("kansli:join?server=kansli.example&code=ABCD", "ny dator"),
        (f"kansli:verify?uid={'00' * 16}&genesis={'00' * 32}", "verifierar en kollega"),
        ("https://kansli.example", "ingen länk"),
        ("kansli:", "ingen länk"),
        ("kansli://" + "å" * 5000, "ingen länk"),
        ("file:///etc/passwd", "ingen länk"),
        ("--data=/tmp/x", "ingen länk"),
        (ObjectLink(room=RoomId(b"?" * 16), obj=BOARD, kind="board").to_text(), "inte är med i"),
        (ObjectLink(room=CASE, obj=ObjId(b"?" * 16), kind="board").to_text(), "finns inte i rummet"),
    ],
)
def test_what_leads_nowhere_is_shown(window: MainWindow, session: FakeSession, text: str, shown: str) -> None:
    before = (window.navigator.place, len(session.rooms.rooms()))
    window.follow(text)
    assert shown in toast_of(window)._text.text()
    assert (window.navigator.place, len(session.rooms.rooms())) == before


def test_a_link_to_what_is_here_opens_it(window: MainWindow) -> None:
    window.follow(ObjectLink(room=CASE, obj=BOARD, kind="board", ref=b"card").to_text())
    view = window.current_room()
    assert view is not None
    assert (view.room, view.tabs.current()) == (CASE, "tasks")


def test_what_a_thing_is_says_our_copy_and_not_the_link(session: FakeSession) -> None:
    link, why_not = judge(ObjectLink(room=CASE, obj=BOARD, kind="document").to_text(), session)
    assert (link, why_not) == (ObjectLink(room=CASE, obj=BOARD, kind="board"), "")


@given(st.text(max_size=600) | st.binary(max_size=100).map(lambda b: "kansli://" + b.hex()))
def test_whatever_is_written_is_judged(text: str) -> None:
    session = FakeSession.__new__(FakeSession)
    session.rooms = type("Rooms", (), {"rooms": lambda self: [], "objects": lambda self, room: []})()
    link, why_not = judge(text, session)
    assert link is None
    assert why_not


def test_only_an_invitation_is_one() -> None:
    assert is_invitation(ENROL)
    assert not is_invitation(ENROL.replace("enrol", "join"))
    assert not is_invitation(os.urandom(40).hex())
