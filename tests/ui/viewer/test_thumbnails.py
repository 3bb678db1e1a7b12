# SPDX-License-Identifier: EUPL-1.2
"""Files that are about to be sent: pictures show a thumbnail, which this process does not decode."""

from pathlib import Path
from typing import NoReturn

import pytest
from PySide6.QtGui import QImageReader
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.objects.files import Pasted
from app.viewing.errors import ViewEnded
from tests.app.viewing import samples
from tests.office import ROOM, Desk
from tests.ui.viewer.conftest import chat_of
from tests.world import until
from ui.chat import thumbnail
from ui.chat.thumbnail import Thumbnail

pytestmark = pytest.mark.slow  # each picture starts a process


async def test_pasted_and_chosen_pictures_show_a_thumbnail_and_can_be_removed(
    hl: Desk, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ A pasted picture is not decoded here, also when it is no picture."""

    def decode(*_: object) -> None:
        raise AssertionError("it was decoded in this process")

    monkeypatch.setattr(QImageReader, "read", decode)
    chosen = tmp_path / "Foto å.jpg"
    chosen.write_bytes(samples.photo_on_its_side())
    view = chat_of(hl, qtbot)
    pasted = Pasted("Bild 1.png", samples.picture())
    broken, lying = Pasted("Trasig.png", samples.picture()[:-40]), Pasted("Text.png", b"en text")
    view.composer.add_files([pasted, chosen, broken, lying, Pasted("Brev.txt", "å".encode())])
    shown = view.composer.findChildren(Thumbnail)
    assert len(shown) == 5
    await until(lambda: [each.has_picture for each in shown] == [True, True, False, False, False])
    remove = next(
        button for button in view.composer.findChildren(QAbstractButton) if "Bild 1.png" in button.accessibleName()
    )
    remove.click()
    assert pasted not in view.composer.files
    assert view.composer.field.hasFocus() or view.composer.focusWidget() is view.composer.field


@pytest.mark.parametrize("data", [samples.picture(), samples.photo_on_its_side()], ids=["png", "jpeg"])
async def test_attack_a_pasted_picture_is_painted_by_a_process_of_its_own_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """A picture from a web page may be made so that decoding it takes a process over."""
    asked: list[bytes] = []

    async def ends(given: bytes) -> NoReturn:
        asked.append(given)
        raise ViewEnded

    monkeypatch.setattr(thumbnail, "open_file", ends)
    with pytest.raises(ViewEnded):
        await thumbnail.painted(Pasted("Bild å 🙂.png", data), 80)
    assert asked == [data]


async def test_each_file_of_a_message_shows_its_progress_also_while_it_waits(
    hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = chat_of(hl, qtbot)
    view.composer.add_files([Pasted("A å.txt", b"a"), Pasted("B ö.txt", b"b")])
    view.composer.field.setPlainText("Båda")
    seen: list[list[str]] = []
    hl.chat.transfers.changed.connect(lambda room: seen.append([each.name for each in hl.chat.transfers.of(room)]))
    view.composer.submit()
    await until(lambda: len(hl.chat.timeline(ROOM)) == 1)
    assert ["A å.txt", "B ö.txt"] in seen
    assert ["B ö.txt"] in seen
    await until(lambda: not view.composer.files)
