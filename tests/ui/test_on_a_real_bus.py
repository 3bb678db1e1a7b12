# SPDX-License-Identifier: EUPL-1.2
"""What a screen reader reads out at each step of a day's work that is done by keyboard alone: on a real AT-SPI bus,
with real keys, a real window, colleagues and a server.

▲ The test waits for what is read out, never for a time: the five seconds in which announcements are gathered pass when
the test moves the clock.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.screen_reader import Heard, ScreenReader, desktop, needs_screen_reader

ROOT = Path(__file__).parents[2]
ROOM = "Registerkontroll"
BODY = "Skriv till Registerkontroll"

pytestmark = [pytest.mark.slow, needs_screen_reader]


class Office:
    """The program beside the test, and what colleagues do there."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.ui.spoken_office", str(folder)]
        self._errors = (folder / "errors").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            command, env=env, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
        )
        self._ended = False
        self._answers("ready")

    def colleague(self, does: str) -> None:
        """Returns when it has happened, and is in the case handler's office."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{does}\n")
        self._process.stdin.flush()
        self._answers(does)

    def _answers(self, line: str) -> None:
        assert self._process.stdout is not None
        shown = self._process.stdout.readline().strip()
        assert shown == line, (shown, Path(self._errors.name).read_text(encoding="utf-8")[-3000:])

    def end(self) -> None:
        """Ends the program, and checks that it ended well: Qt and Python do not quarrel over who deletes what. A second
        call changes nothing."""
        if self._ended:
            return
        self._ended = True
        self.colleague("quit")
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = self._process.wait(PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
        errors = Path(self._errors.name).read_text(encoding="utf-8")
        assert status == 0, errors[-3000:]
        assert "Traceback" not in errors
        assert "Cannot create accessible" not in errors


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    with desktop() as made:
        yield made


@pytest.fixture
def reader(env: dict[str, str]) -> Iterator[ScreenReader]:
    made = ScreenReader(env)
    yield made
    made.close()


@pytest.fixture
def office(env: dict[str, str], reader: ScreenReader, tmp_path: Path) -> Iterator[Office]:
    made = Office(env, tmp_path)
    yield made
    made.end()


def one_focus(reader: ScreenReader) -> Heard:
    """What has the focus, and nothing else says that it has."""
    (window,) = (w for w in reader.windows() if "Kansli" in w.name)
    found = [received for received in reader.walk(window.where) if "focused" in received.states]
    assert len(found) == 1, [str(received) for received in found]
    return found[0]


def a_room_is_made_and_two_people_are_added(reader: ScreenReader, office: Office) -> None:
    reader.keys("ctrl+n")
    name = reader.focus("Rummets namn", "text")
    assert "editable" in name.states
    reader.type(ROOM)
    reader.keys("Return")
    reader.focus(BODY, "text")
    assert [w.name for w in reader.windows()] == [f"{ROOM} – Kansli"]
    assert one_focus(reader).name.startswith(BODY)
    for who in ("Enhetschef", "Registrator"):
        reader.keys("ctrl+k")
        reader.focus("Sök i allt", "text")
        reader.type("deltagare")
        reader.described("Lägg till deltagare")
        reader.keys("Return")
        reader.focus("Sök i katalogen", "text")
        reader.type(who)
        reader.described(who)
        reader.keys("Return")
        reader.focus(BODY, "text")
        office.colleague("pause")  # since the dialog closed, or since the first one was said
        reader.announced(f"{who} har bjudits in")


def the_window_is_read_by_its_headings_and_tabs(reader: ScreenReader, office: Office) -> None:
    (window,) = reader.windows()
    found = list(reader.walk(window.where))
    by_role = {role: [h for h in found if h.role == role] for role in ("heading", "page tab", "page tab list")}
    headings = {h.name: reader.attributes(h.where)["level"] for h in by_role["heading"]}
    assert headings.items() >= {ROOM: "1", "I rummet": "3", "Rum": "2"}.items()
    tabs = {h.name: "selected" in h.states for h in by_role["page tab"]}
    assert tabs.items() >= {"Hem": False, "Rum": True, "Chatt": True, "Dokument": False}.items()
    assert {h.name for h in by_role["page tab list"]} >= {"Huvudmeny", "Rummets verktyg"}
    bold = next(h for h in found if h.name == "Fet")
    assert (bold.role, "checkable" in bold.states, bold.description) == ("push button", True, "Av, Fet (Ctrl+B)")
    assert not [h for h in found if h.role == "check box"]


def messages_are_read_out_one_by_one_with_their_links_files_and_reactions(reader: ScreenReader, office: Office) -> None:
    office.colleague("fill")
    office.colleague("pause 2")
    reader.announced("2 nya meddelanden")
    reader.type("hej")
    reader.keys("Return")
    reader.keys("shift+Tab")
    own = reader.focus("hej", "list item")
    assert own.position == (3, 3)
    assert own.name.startswith("Handläggare, ")
    assert one_focus(reader).where == own.where
    reader.keys("Up")
    file = reader.focus("Bilagan", "list item")
    assert file.position == (2, 3)
    assert "fil Yttrande.pdf" in file.name
    reader.keys("Right")
    part = reader.focus("fil Yttrande.pdf", "push button")
    assert (reader.parent(part.where), part.description) == (file.where, "1 av 1")
    reader.keys("Up")
    linked = reader.focus("lagrummet å 🙂", "list item")
    assert linked.name.endswith("👍 1")
    reader.keys("Right")
    assert reader.focus("lagrummet", "link").description == "1 av 2"
    assert one_focus(reader).role == "link"
    reader.keys("Right")
    assert reader.focus("👍 1, Enhetschef", "push button").description == "2 av 2"
    reader.keys("Return")
    reader.keys("Left", "Left")
    assert reader.focus("lagrummet å 🙂", "list item").name.endswith("👍 2")
    parts = [reader.look(part) for part in reader.children(linked.where)]
    assert [(part.role, part.name) for part in parts] == [
        ("link", "lagrummet"),
        ("push button", "👍 2, Enhetschef, Handläggare"),
    ]
    reader.keys("s")
    reader.focus(BODY, "text")
    reader.type("svar")
    reader.keys("Return")
    reader.keys("shift+Tab")
    assert reader.focus("1 svar", "list item").where == linked.where
    reader.keys("End")
    assert reader.focus(": svar", "list item").position == (4, 4)
    reader.keys("Right")
    assert reader.focus("Svar till Enhetschef", "link").description == "1 av 1"
    reader.keys("Escape")
    reader.focus(BODY, "text")


def what_comes_within_five_seconds_is_announced_once(reader: ScreenReader, office: Office) -> None:
    office.colleague("type")
    office.colleague("pause")
    reader.announced("Enhetschef skriver …")
    office.colleague("say Ett|Två å|Tre 🙂")
    office.colleague("pause 3")
    reader.announced("3 nya meddelanden")


def what_came_while_one_was_elsewhere_is_read_out_as_unread(reader: ScreenReader, office: Office) -> None:
    office.colleague("read")
    reader.keys("ctrl+1")
    reader.focus("Innehåll")
    office.colleague("say Nytt å 🙂")
    office.colleague("pause 1")
    reader.announced(f"Nytt meddelande i {ROOM}")
    reader.keys("ctrl+2")
    reader.focus(BODY, "text")
    reader.keys("shift+Tab", "End")
    new = reader.focus("Nytt å 🙂", "list item")
    assert new.name.startswith("Oläst. Enhetschef, ")
    reader.keys("Up")
    assert not reader.focus("Tre 🙂", "list item").name.startswith("Oläst")
    reader.keys("Escape")
    reader.focus(BODY, "text")


def a_document_is_read_out_by_its_paragraphs(reader: ScreenReader, office: Office) -> None:
    reader.keys("alt+2")
    reader.focus("Skriv det första dokumentet", "push button")
    reader.keys("space")
    reader.focus("Titel", "text")
    reader.keys("Return")
    reader.focus("Dokumentets text", "text")
    reader.type("Beslut")
    reader.keys("ctrl+alt+1")
    text = reader.described("Rubrik 1")
    assert one_focus(reader).where == text.where
    reader.keys("Return")
    reader.described("Brödtext")
    reader.type("Skal")
    reader.keys("Up")
    reader.described("Rubrik 1")
    (heading,) = [received for received in reader.walk(text.where) if received.role == "heading"]
    assert (heading.name, heading.position[0], reader.attributes(heading.where)) == ("Beslut", 1, {"level": "1"})
    # What Qt does not tell: docs/upstream/qt.md, 1.
    attributes = reader.text_attributes(text.where, 1)
    assert "weight" in attributes
    assert not {"level", "heading", "tag"} & set(attributes)
    reader.keys("alt+1")
    reader.focus(BODY, "text")


def to_new_task(reader: ScreenReader) -> None:
    """From the board as a whole to the button that makes a task."""
    for name in ("Visa som tavla", "Mina", "Filter", "Ny uppgift"):
        reader.keys("Tab")
        reader.focus(name)


def cards_are_made_walked_through_moved_and_filtered(reader: ScreenReader, office: Office) -> None:
    for title in ("Alfa", "Beta", "Gamma"):
        if title != "Alfa":
            reader.keys("alt+1")
            reader.focus(BODY, "text")
        reader.keys("alt+3")
        reader.focus("Uppgifter", "filler")
        to_new_task(reader)
        reader.keys("space")
        reader.focus("Titel", "text")
        reader.type(title)
        reader.keys("Return", "Escape")
        card = reader.focus(title, "list item")
    assert (card.description, card.position) == ("Att göra, 3 av 3", (3, 3))
    reader.keys("Up")
    card = reader.focus("Beta", "list item")
    assert (card.description, card.position) == ("Att göra, 2 av 3", (2, 3))
    assert one_focus(reader).where == card.where
    reader.keys("ctrl+Right")
    assert reader.focus("Beta", "list item").description == "Pågår, 1 av 1"
    reader.keys("Left")
    assert reader.focus("Alfa", "list item").description == "Att göra, 1 av 2"
    reader.keys("ctrl+Down")
    assert reader.described("Att göra, 2 av 2").name == "Alfa"
    reader.keys("Return")
    assert reader.focus("Uppgift", "panel").description == "Alfa"
    reader.keys("Tab")
    reader.focus("Titel", "text")
    reader.keys("Escape")
    assert reader.focus("Alfa", "list item").position == (2, 2)


def the_filter_is_opened_and_says_how_much_it_shows(reader: ScreenReader, office: Office) -> None:
    reader.keys("alt+1")
    reader.focus(BODY, "text")
    reader.keys("alt+3")
    reader.focus("Uppgifter", "filler")
    for name in ("Visa som tavla", "Mina", "Filter"):
        reader.keys("Tab")
        reader.focus(name)
    reader.keys("space", "Down")
    reader.focus("Handläggare")
    reader.keys("Return")
    office.colleague("pause")
    reader.announced("0 av 3 uppgifter visas")
    reader.keys("ctrl+k")
    reader.focus("Sök i allt", "text")
    reader.keys("Escape")


def a_hit_of_a_search_is_read_out_with_its_place(reader: ScreenReader, office: Office) -> None:
    reader.keys("ctrl+4")
    reader.focus("Sök i allt som du får läsa", "text")
    reader.type("lagrummet")
    reader.keys("Return")
    hit = reader.focus("lagrummet", "list item")
    assert hit.position[0] == 1
    assert "Enhetschef" in hit.name
    assert one_focus(reader).where == hit.where


def what_was_noted_of_the_window_cannot_be_read_under_the_curtain(reader: ScreenReader, office: Office) -> None:
    (window,) = reader.windows()
    noted = [window, *(found for found in reader.walk(window.where) if found.name)]
    assert len(noted) > 100
    office.colleague("cover")
    assert [each.name for each in reader.windows()] == ["Kansli"]
    for each in noted:
        with pytest.raises(LookupError):
            reader.look(each.where)
    office.colleague("say Under ridån å 🙂")
    office.colleague("lift")
    reader.keys("ctrl+k")
    reader.focus("Sök i allt", "text")
    reader.keys("Escape")
    (window,) = reader.windows()
    assert len([found for found in reader.walk(window.where) if found.name]) > 100


def that_one_is_offline_is_announced_and_nothing_once_kansli_is_locked(reader: ScreenReader, office: Office) -> None:
    office.colleague("stop-server")
    office.colleague("pause")
    reader.announced("Du är frånkopplad")
    office.colleague("lock")
    before = len(reader.heard)
    office.colleague("error")
    office.end()
    with pytest.raises(AssertionError, match="not heard"):
        reader.announced("", patience_s=0.5)
    assert [str(received) for received in reader.heard[before:] if received.kind == "announced"] == []


STEPS: tuple[Callable[[ScreenReader, Office], None], ...] = (
    a_room_is_made_and_two_people_are_added,
    the_window_is_read_by_its_headings_and_tabs,
    messages_are_read_out_one_by_one_with_their_links_files_and_reactions,
    what_comes_within_five_seconds_is_announced_once,
    what_came_while_one_was_elsewhere_is_read_out_as_unread,
    a_document_is_read_out_by_its_paragraphs,
    cards_are_made_walked_through_moved_and_filtered,
    the_filter_is_opened_and_says_how_much_it_shows,
    a_hit_of_a_search_is_read_out_with_its_place,
    what_was_noted_of_the_window_cannot_be_read_under_the_curtain,
    that_one_is_offline_is_announced_and_nothing_once_kansli_is_locked,
)


def test_a_days_work_by_keyboard_is_read_out_step_by_step(reader: ScreenReader, office: Office) -> None:
    """▲ One test: each step goes on where the one before left the room."""
    for step in STEPS:
        step(reader, office)
