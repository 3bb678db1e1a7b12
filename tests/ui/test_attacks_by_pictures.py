# SPDX-License-Identifier: EUPL-1.2
"""A colleague sends bytes of any format as a picture, and pictures that cost much: nothing but PNG and JPEG is decoded,
each by its own reader and only where a picture is expected.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QIODevice, QMimeData
from PySide6.QtGui import QImage, QImageReader
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.previews import MAX_BYTES, is_preview, size_of
from app.chat.records import Attachment, MessageSent, encode
from app.core.i18n import set_language
from app.objects.files import Pasted
from app.richtext.model import Document
from tests.app.chat.test_previews import GOOD, jpeg
from tests.office import CHANNEL, EK, HL, ROOM, Desk, desk, from_others
from tests.ui.picture_samples import (
    DECODED,
    JPEG,
    green,
    many_scans,
    png_bomb,
    png_with_text,
    samples,
    svg_bomb,
    written,
)
from tests.world import until
from ui.chat.composer import Composer, Written
from ui.chat.pictures import CACHE_BYTES, Previews, picture_of
from ui.chat.view import ChatView
from ui.kit import pictures, qr, qr_reader, theme
from ui.kit.qr_reader import QrReader
from ui.richtext.editor import Editor

SAMPLES = samples()
BOMBS = {"nested SVG": svg_bomb(), "8000 × 8000": png_bomb(), "2,000 scans": many_scans()}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The formats of the pictures that were decoded."""
    found: list[bytes] = []

    class Counting(QImageReader):
        def read(self) -> QImage:
            found.append(bytes(self.format().data()))
            return super().read()

    monkeypatch.setattr(pictures, "QImageReader", Counting)
    return found


@pytest.fixture
def hl(tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    set_language("sv")
    theme.apply(qapp, "light")
    made = desk(tmp_path, HL)
    yield made
    made.close()


def with_preview(name: str, preview: bytes) -> Attachment:
    return Attachment(
        name=name, size_bytes=9, media_type="image/png", manifest=b"m", width=300, height=200, preview=preview
    )


def view_of(hl: Desk, qtbot: QtBot, files: list[Attachment]) -> ChatView:
    records = [encode(MessageSent(text="", attachments=(file,))) for file in files]
    from_others(hl, EK, CHANNEL, records, n=20, t=1_795_500_000_000)
    view = ChatView(hl.chat, ROOM)
    qtbot.addWidget(view)
    view.resize(800, 5000)
    view.show()
    view.grab()
    return view


def test_every_format_that_qt_reads_here_has_a_sample_that_it_takes_for_one() -> None:
    assert {bytes(name.data()).decode() for name in QImageReader.supportedImageFormats()} == set(SAMPLES)
    assert len(SAMPLES) == 21
    for name, data in SAMPLES.items():
        held = QBuffer()
        held.setData(data)
        held.open(QIODevice.OpenModeFlag.ReadOnly)
        assert not QImageReader(held, name.encode()).read().isNull(), name


def test_attack_a_preview_of_another_format_is_shown_as_a_file(qtbot: QtBot, hl: Desk, reads: list[bytes]) -> None:
    view = view_of(hl, qtbot, [with_preview(f"karta å.{name}", data) for name, data in SAMPLES.items()])
    shown = {
        message.attachments[0].name: bool(layout.images)
        for layout in map(view.list.layout_of, range(len(view.model.timeline)))
        for message in [layout.message]
        if bool(layout.images) != bool(layout.files)
    }
    assert shown == {f"karta å.{name}": name in JPEG for name in SAMPLES}
    assert set(reads) == {b"jpeg"}
    assert len(reads) <= len(JPEG)


@pytest.mark.parametrize("name", BOMBS)
def test_attack_a_preview_that_costs_much_is_not_decoded(qtbot: QtBot, hl: Desk, reads: list[bytes], name: str) -> None:
    view = view_of(hl, qtbot, [with_preview("karta.png", BOMBS[name])])
    assert reads == []
    assert view.list.layout_of(0).files
    assert not view.list.layout_of(0).images
    assert not view.model.timeline.message(0).attachments[0].preview


def test_attack_a_damaged_preview_is_shown_as_a_file(qtbot: QtBot, hl: Desk) -> None:
    broken = jpeg(*GOOD[:1], *GOOD[2:])  # without its quantisation table
    assert is_preview(broken)
    assert Previews().image(broken).isNull()
    view = view_of(hl, qtbot, [with_preview("karta.png", broken)])
    assert view.list.layout_of(0).files
    assert not view.list.layout_of(0).images


def test_attack_previews_without_end_fill_no_more_memory_than_the_cache_may() -> None:
    kept = Previews(limit=4 * 1024 * 1024)
    many = [written(green(720, 480 - n), "jpeg") for n in range(12)]
    for data in [*many, b"<svg/>", many[0]]:
        kept.image(data)
        assert kept.size_bytes <= 4 * 1024 * 1024
    assert kept.image(many[0]) is kept.image(many[0])
    assert 20 * 720 * 480 * 4 < CACHE_BYTES < 40 * 1024 * 1024


@pytest.mark.parametrize("name", SAMPLES)
def test_attack_a_chosen_file_is_decoded_by_what_it_is_and_never_by_its_name(
    tmp_path: Path, reads: list[bytes], name: str
) -> None:
    for suffix in (name, "png", "jpg"):
        path = tmp_path / f"karta å.{suffix}"
        path.write_bytes(SAMPLES[name])
        picture = picture_of(path)
        assert (picture is not None) == (name in DECODED and suffix in {"png", "jpg", "jpeg"})
        assert picture is None or size_of(picture.preview) == (picture.width, picture.height) == (30, 20)
    assert set(reads) <= {b"png" if name == "png" else b"jpeg"}
    assert bool(reads) == (name in DECODED)


@pytest.mark.parametrize("name", BOMBS)
def test_attack_a_chosen_file_that_costs_much_is_sent_without_a_preview(
    tmp_path: Path, reads: list[bytes], name: str
) -> None:
    for suffix in ("png", "jpg"):
        path = tmp_path / f"karta.{suffix}"
        path.write_bytes(BOMBS[name])
        assert picture_of(path) is None
    assert reads == []


def test_attack_a_preview_carries_nothing_of_the_files_texts_and_stands_upright(reads: list[bytes]) -> None:
    noted = png_with_text("Comment", "kameran hos Handläggare " * 4000)
    picture = picture_of(Pasted("a.png", noted))
    assert picture is not None
    assert b"kameran" not in picture.preview
    assert len(picture.preview) < MAX_BYTES
    turned = picture_of(Pasted("a.jpg", written(green(40, 20), "jpeg", turned=True)))
    assert turned is not None
    assert (turned.width, turned.height) == size_of(turned.preview) == (20, 40)


@pytest.mark.parametrize("name", [*SAMPLES, *BOMBS])
def test_attack_what_is_pasted_is_taken_as_png_or_jpeg_bytes_or_not_at_all(
    qtbot: QtBot, reads: list[bytes], name: str
) -> None:
    data = (SAMPLES | BOMBS)[name]
    composer, sent = Composer("Skriv", list), list[Written]()
    qtbot.addWidget(composer)
    composer.submitted.connect(sent.append)
    kinds = ("image/png", "image/jpeg", "image/svg+xml", f"image/{name}", "application/x-qt-image")
    for kind in kinds:
        clipboard = QMimeData()
        clipboard.setData(kind, data)
        composer.field.insertFromMimeData(clipboard)
    composer.submit()
    files = [file for written_ in sent for file in written_.files]
    assert reads == [], "nothing is decoded to be pasted"
    assert all(isinstance(file, Pasted) and file.data == data for file in files)
    assert bool(files) == (pictures.format_of(data) is not None)
    assert composer.text == ""


@pytest.mark.parametrize("name", SAMPLES)
def test_attack_a_document_takes_no_picture_from_the_clipboard(
    qtbot: QtBot, tmp_path: Path, reads: list[bytes], name: str
) -> None:
    path = tmp_path / f"karta.{name}"
    path.write_bytes(SAMPLES[name])
    document = Document()
    document.set_up("Beslut")
    editor = Editor(document)
    qtbot.addWidget(editor)
    editor.show()
    clipboard = QMimeData()
    clipboard.setData(f"image/{name}", SAMPLES[name])
    clipboard.setData("application/x-qt-image", SAMPLES[name])
    clipboard.setHtml(f'<p>före <img src="file://{path}"> <img src="http://evil.example/x.{name}"> efter å</p>')
    editor.insertFromMimeData(clipboard)
    editor.grab()
    assert document.plain_text().split() == ["före", "efter", "å"]
    assert "\ufffc" not in editor.toPlainText()
    assert editor.loadResource(2, f"file://{path}") is None
    assert reads == []


async def test_attack_a_code_is_read_from_a_png_or_jpeg_and_no_other_file(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[bytes]
) -> None:
    code = qr.image("kansli:join å", 8).convertToFormat(QImage.Format.Format_RGB32)
    names = ("png", "jpeg", "bmp", "webp", "tiff", "ppm")
    chosen = [tmp_path / f"kod.{name}" for name in names]
    for path, name in zip(chosen, names, strict=True):
        path.write_bytes(written(code, name))
    (tmp_path / "bomb.svg").write_bytes(svg_bomb())
    waiting = [*chosen, tmp_path / "bomb.svg"]

    async def choose(parent: object, title: str, filters: str) -> Path | None:
        return waiting.pop(0)

    monkeypatch.setattr(qr_reader, "open_file", choose)
    reader, found = QrReader("En bild"), list[list[str]]()
    qtbot.addWidget(reader)
    reader.found.connect(found.append)
    for at in range(7):
        reader.from_picture.click()
        await until(lambda count=at + 1: len(found) == count)  # type: ignore[misc] # bound per click
        await asyncio.sleep(0)
    assert found == [["kansli:join å"]] * 2 + [[]] * 5
    assert reads == [b"png", b"jpeg"]
