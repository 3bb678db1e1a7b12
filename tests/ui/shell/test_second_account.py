# SPDX-License-Identifier: EUPL-1.2
"""A code of somebody who has an account, typed at first start: it leads back, and never makes a second one unasked."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.bootstrap import Office as RealOffice
from app.core.i18n import set_language
from app.settings import SERVER
from sync.trust.person.agency import CODE_LETTERS
from tests.ui.shell.test_gate import PHRASE, Office, Person
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.entry_views import EntryViews
from ui.kit.dialogs import Dialog
from ui.kit.plain import Label
from ui.shell.entry.recovery_pages import ReturnView
from ui.shell.entry.welcome import Address, Enrolment, WelcomeView

HEADING = {
    "sv": "Du har redan ett konto. Har du ditt återställningsblad?",
    "en": "You already have an account. Do you have your recovery sheet?",
}
LOST = {"sv": "Du får ett andra konto utan dina rum", "en": "You get a second account without your rooms"}
HINT = {"sv": "14 grupper om fyra: XXXX-XXXX- …", "en": "14 groups of four: XXXX-XXXX- …"}


class Known(Office):
    """What a code of a person who has an account returns."""

    async def look_up(self, server: str, code: str) -> Person:
        return replace(await super().look_up(server, code), here=True)


@pytest.fixture(params=["sv", "en"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    set_language(request.param)
    yield request.param
    set_language("sv")


async def asked(qtbot: QtBot, office: Office) -> WelcomeView:
    view = WelcomeView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.code.setText("ABCD-EFGH")
    view.look_up()
    await until(lambda: view.currentWidget() is not view.code_page)
    return view


def question(view: WelcomeView) -> Dialog | None:
    return next((d for d in view.findChildren(Dialog) if d.isVisible()), None)


async def test_the_code_of_somebody_who_is_here_asks_for_the_recovery_sheet_and_leads_there(
    qtbot: QtBot, language: str
) -> None:
    office = Known()
    view = await asked(qtbot, office)
    page = view.second_page
    assert view.currentWidget() is page
    assert page.heading.text() == HEADING[language]
    assert "Handläggare · Enheten för tillsyn" in [part.text() for part in page.who.findChildren(Label)]
    assert view.focusWidget() is page.recovery_sheet_button
    got: list[object] = []
    view.lost.connect(got.append)
    page.recovery_sheet_button.click()
    assert got == [Address("kansli.myndighet.example", "ABCD-EFGH")]
    assert office.enrolled == []


async def test_a_second_account_is_made_only_after_what_is_lost_was_shown(qtbot: QtBot, language: str) -> None:
    office = Known()
    view = await asked(qtbot, office)
    for answer in ("reject", "accept"):
        assert view.currentWidget() is view.second_page
        view.second_page.start_over_button.click()
        await until(lambda: question(view) is not None)
        dialog = question(view)
        assert dialog is not None
        assert not dialog.accept_button.isDefault()
        assert any(LOST[language] in part.text() for part in dialog.findChildren(Label))
        getattr(dialog, answer)()
        await until(lambda: question(view) is None)
    await until(lambda: view.currentWidget() is view.key_page)
    assert office.enrolled == []
    view.key_page.keys.passphrase.setText(PHRASE)
    view.key_page.keys.again.setText(PHRASE)
    view.key_page.begin_button.click()
    await until(lambda: office.enrolled == [PHRASE])


async def test_from_the_question_one_goes_back_or_to_another_computer(qtbot: QtBot) -> None:
    view = await asked(qtbot, Known())
    view.second_page.back_button.click()
    assert view.currentWidget() is view.code_page
    view.look_up()
    await until(lambda: view.currentWidget() is view.second_page)
    view.second_page.other_button.click()
    assert view.currentWidget() is view.join


async def test_what_was_typed_goes_along_to_the_page_of_the_recovery_sheet(qtbot: QtBot) -> None:
    class Settings:
        def get(self, setting: object) -> str:
            return "reserv.myndighet.example" if setting is SERVER else ""

    class Whole(Known):
        settings = Settings()

        look_up_account = recover = ask_again = None

    shown: list[object] = []
    view = EntryViews(Whole(), lambda session: None, shown.append).welcome()  # type: ignore[arg-type]  # what it takes of it
    qtbot.addWidget(view)
    view.server.setText("kansli.myndighet.example")
    view.code.setText("ABCD-EFGH")
    view.lost_button.click()
    (back,) = shown
    assert isinstance(back, ReturnView)
    qtbot.addWidget(back)
    assert (back.server.text(), back.code.text()) == ("kansli.myndighet.example", "ABCD-EFGH")


async def test_the_hint_shows_the_form_that_codes_have(qtbot: QtBot, language: str) -> None:
    view = WelcomeView(Office())
    qtbot.addWidget(view)
    assert view.code.placeholderText() == HINT[language]
    assert HINT[language].startswith(f"{CODE_LETTERS // 4} ")


async def test_the_question_is_read_aloud_and_walked_through(qtbot: QtBot) -> None:
    view = await asked(qtbot, Known())
    page = view.second_page
    check(page)
    check_tab(page)
    assert page.accessibleName() == HEADING["sv"]


def real_office_fits(office: RealOffice) -> Enrolment:
    """mypy holds app.bootstrap to what the first start needs."""
    return office
