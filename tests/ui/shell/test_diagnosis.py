# SPDX-License-Identifier: EUPL-1.2
"""The report to the IT department, in the window: read first, then saved where one says; nothing is sent."""

import zipfile
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.diagnosis import write
from app.errors import FileUnreadable
from app.session import Session
from tests.world import until
from ui.kit import tasks
from ui.shell.settings.diagnosis_dialog import DiagnosisDialog, show_diagnosis
from ui.shell.settings.settings_view import SettingsView

PARTS = {"program.txt": "Kansli 1, Debian 13\n", "logs/kansli.log": "ui opened\n"}


async def shown(view: SettingsView) -> DiagnosisDialog:
    await until(lambda: bool(view.window().findChildren(DiagnosisDialog)))
    return view.window().findChildren(DiagnosisDialog)[0]


async def test_all_of_the_report_is_read_before_it_is_saved(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    session.profile.logs_folder.mkdir(exist_ok=True)
    (session.profile.logs_folder / "kansli.log").write_text("ui opened\n")

    async def where(parent: object, title: str, name: str, filters: str = "") -> Path:
        asked.append(name)
        return tmp_path / name

    monkeypatch.setattr("ui.shell.settings.diagnosis_dialog.save_file", where)
    view = SettingsView(session)
    qtbot.addWidget(view)
    view.show()
    view.about.report_button.click()
    dialog = await shown(view)
    text = dialog.text.toPlainText()
    assert not asked
    dialog.accept_button.click()
    await until(lambda: bool(list(tmp_path.glob("kansli-*.zip"))))
    with zipfile.ZipFile(tmp_path / asked[0]) as report:
        parts = {name: report.read(name).decode() for name in report.namelist()}
    assert parts["logs/kansli.log"] == "ui opened\n"
    assert {"program.txt", "settings.txt", "store.txt"} < set(parts)
    assert [name for name, content in parts.items() if name not in text or content.strip() not in text] == []


async def test_who_does_not_want_it_gets_no_file(qtbot: QtBot, session: Session) -> None:
    view = SettingsView(session)
    qtbot.addWidget(view)
    view.show()
    made = tasks.run(view, _ask(view))
    (await shown(view)).reject()
    await until(made.done)


async def _ask(view: SettingsView) -> None:
    assert await show_diagnosis(view, lambda: PARTS, lambda parts, path: pytest.fail("written")) is None


async def test_a_place_that_cannot_be_written_is_shown(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        write(PARTS, tmp_path / "none" / "report.zip")
