# SPDX-License-Identifier: EUPL-1.2
"""A link from outside opens what is here, or a sentence says why not; it never does anything."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.ids import ObjId, RoomId
from app.objects.links import ObjectLink
from app.session import Session
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
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
    ],
)
def test_what_leads_nowhere_is_shown(window: MainWindow, session: Session, text: str, shown: str) -> None:
    leads_nowhere(window, session, text, shown)


def test_a_link_to_what_is_not_here_is_shown(window: MainWindow, session: Session) -> None:
    other = ObjectLink(room=RoomId(b"?" * 16), obj=office().board, kind="board")
    leads_nowhere(window, session, other.to_text(), "inte är med i")
    gone = ObjectLink(room=office().case, obj=ObjId(b"?" * 16), kind="board")
    leads_nowhere(window, session, gone.to_text(), "finns inte i rummet")


def leads_nowhere(window: MainWindow, session: Session, text: str, shown: str) -> None:
    before = (window.navigator.place, len(session.rooms.rooms()))
    window.follow(text)
    assert shown in toast_of(window)._text.text()
    assert (window.navigator.place, len(session.rooms.rooms())) == before


def test_a_link_to_what_is_here_opens_it(window: MainWindow) -> None:
    window.follow(ObjectLink(room=office().case, obj=office().board, kind="board", ref=b"card").to_text())
    view = window.current_room()
    assert view is not None
    assert (view.room, view.tabs.current()) == (office().case, "tasks")


def test_what_a_thing_is_says_our_copy_and_not_the_link(session: Session) -> None:
    link, why_not = judge(ObjectLink(room=office().case, obj=office().board, kind="document").to_text(), session)
    assert (link, why_not) == (ObjectLink(room=office().case, obj=office().board, kind="board"), "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=600) | st.binary(max_size=100).map(lambda b: "kansli://" + b.hex()))
def test_whatever_is_written_is_judged(session: Session, text: str) -> None:
    link, why_not = judge(text, session)
    assert link is None
    assert why_not


def test_only_an_invitation_is_one() -> None:
    assert is_invitation(ENROL)
    assert not is_invitation(ENROL.replace("enrol", "join"))
    assert not is_invitation(os.urandom(40).hex())
