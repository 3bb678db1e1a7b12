# SPDX-License-Identifier: EUPL-1.2
"""The viewer's files through the real process: what is shown of honest ones, and that hostile ones get a reason."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.viewing import limits
from app.viewing.errors import ViewDamaged, ViewEnded, ViewFault, ViewForeign, ViewTooLarge, ViewUnavailable
from app.viewing.kinds import JPEG, PDF, PNG, TEXT, kind_of, kind_of_name
from app.viewing.shown_file import Piece, ShownFile, open_file
from app.worker.frames import (
    Answer,
    Hits,
    Open,
    Opened,
    PageLinks,
    PageText,
    Pixels,
    PutBytes,
    Render,
    Selected,
    Sizes,
    Tried,
    encode,
    read_answer,
    write,
)
from tests.app.viewing import samples
from tests.app.worker.confined import tried

pytestmark = pytest.mark.slow  # each test starts processes


@asynccontextmanager
async def shown(data: bytes) -> AsyncIterator[ShownFile]:
    file = await open_file(data)
    try:
        yield file
    finally:
        file.close()


def pixel(data: bytes, width: int, x: int, y: int) -> tuple[int, int, int]:
    blue, green, red = data[(y * width + x) * 4 : (y * width + x) * 4 + 3]
    return red, green, blue


async def whole(file: ShownFile, width: int, height: int, turn: int = 0, page: int = 0) -> bytes:
    return await file.render(Piece(page=page, width=width, height=height, x=0, y=0, w=width, h=height, turn=turn))


async def test_a_picture_is_painted_in_pieces_scaled_and_turned() -> None:
    for kind, name in (("PNG", PNG), ("JPEG", JPEG)):
        async with shown(samples.picture(kind)) as file:
            assert (file.kind, file.pages, file.sizes, file.cut) == (name, 1, [(300.0, 200.0)], False)
            small = await whole(file, 30, 20)
            assert pixel(small, 30, 3, 3)[2] > 200 > 60 > pixel(small, 30, 3, 3)[0]
            assert pixel(small, 30, 25, 15)[0] > 200
            turned = await whole(file, 20, 30, turn=1)  # the blue quarter is at the upper right
            assert pixel(turned, 20, 17, 3)[2] > 200
            assert pixel(turned, 20, 3, 3)[0] > 200
            corner = await file.render(Piece(page=0, width=600, height=400, x=590, y=390, w=10, h=10))
            assert pixel(corner, 10, 5, 5)[0] > 200


async def test_a_turned_piece_is_the_same_as_that_piece_of_the_turned_picture() -> None:
    async with shown(samples.picture(size=(90, 60))) as file:
        for turn in range(4):
            size = (90, 60) if turn % 2 == 0 else (60, 90)
            full = await whole(file, *size, turn=turn)
            piece = await file.render(Piece(page=0, width=size[0], height=size[1], x=10, y=20, w=7, h=9, turn=turn))
            rows = [full[((20 + y) * size[0] + 10) * 4 :][: 7 * 4] for y in range(9)]
            assert piece == b"".join(rows), turn


async def test_a_photo_is_shown_as_it_was_held_and_a_clear_picture_on_white() -> None:
    async with shown(samples.photo_on_its_side()) as file:
        assert file.sizes == [(200.0, 300.0)]
    async with shown(samples.picture(mode="RGBA", colour=(0, 0, 0, 0))) as file:
        assert pixel(await whole(file, 30, 20), 30, 5, 5) == (255, 255, 255)
    for mode, colour in (("1", 1), ("L", 128), ("LA", (0, 0)), ("P", 3), ("I;16", 65535)):
        async with shown(samples.picture(mode=mode, colour=colour)) as file:
            assert len(await whole(file, 30, 20)) == 2400


async def test_a_pdf_shows_pages_text_finds_and_web_links() -> None:
    async with shown(samples.pdf(3)) as file:
        assert (file.kind, file.pages, file.sizes) == (PDF, 3, [(300.0, 400.0)] * 3)
        painted = await whole(file, 300, 400, page=2)
        assert pixel(painted, 300, 290, 390) == (255, 255, 255)
        assert min(painted[(45 * 300 + 20) * 4 : (45 * 300 + 120) * 4]) < 100
        assert await file.text(1) == samples.PAGE_TEXT
        ((place,),) = await file.find(0, "2026")
        assert 0.1 < place[0] < 0.4
        assert 0.05 < place[1] < 0.2
        assert await file.find(0, "finns inte") == []
        text, rects = await file.select(0, (0.08, 0.12), (0.4, 0.12))
        assert text in samples.PAGE_TEXT
        assert len(rects) == 1
        assert await file.select(0, (0.9, 0.9), (0.95, 0.95)) == ("", [])
    async with shown(samples.pdf(page="/Rotate 90")) as file:
        assert file.sizes == [(400.0, 300.0)]
        ((place,),) = await file.find(0, "2026")
        assert place[3] > place[2]  # along the right edge


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("å ä ö 🙂\r\nrad".encode(), "å ä ö 🙂\nrad"),
        ("å ä ö 🙂".encode("utf-8-sig"), "å ä ö 🙂"),
        ("å ä ö 🙂".encode("utf-16"), "å ä ö 🙂"),
        ("å ä ö €".encode("cp1252"), "å ä ö €"),
        ("a\x1b[31m\u202eb".encode(), "a\ufffd[31m\ufffdb"),
        (b"", ""),
    ],
    ids=["utf8", "bom", "utf16", "cp1252", "controls", "empty"],
)
async def test_text_is_shown_plain_in_its_encoding(data: bytes, text: str) -> None:
    async with shown(data) as file:
        assert (file.kind, file.pages, file.sizes) == (TEXT, 1, [])
        assert await file.text(0) == text


async def test_of_a_long_text_ten_megabytes_are_shown_in_parts_and_a_long_line_is_broken() -> None:
    async with shown(b"a" * (limits.TEXT_BYTES + 5)) as file:
        assert file.cut
        parts = [await file.text(page) for page in range(file.pages)]
        assert sum(part.count("a") for part in parts) == limits.TEXT_BYTES
        assert max(map(len, parts)) <= limits.TEXT_PART + 1
        assert max(len(line) for line in parts[0].split("\n")) == limits.LINE_CHARS


def test_the_bytes_decide_how_a_file_is_read_and_the_name_only_what_a_click_does() -> None:
    assert kind_of_name("Beslut å.PDF") == PDF
    assert kind_of_name("bild.jpeg") == JPEG
    assert [kind_of_name(name) for name in ("Avtal.docx", "pdf", "a.exe", "a.svg", "a.html", "")] == [None] * 6
    assert kind_of(samples.picture()) == PNG
    assert kind_of(b"\r\n" + samples.pdf()) == PDF
    assert [kind_of(data) for data in (b"MZ\x90", b"PK\x03\x04", b"GIF89a", b"a\0b", b"{\\rtf1")] == [None] * 5


async def test_attack_a_picture_under_the_name_of_another_kind_is_read_as_what_it_is() -> None:
    async with shown(samples.picture("JPEG")) as file:
        assert file.kind == JPEG
    held = io.BytesIO()
    Image.new("RGB", (9, 9)).save(held, "TIFF")
    with pytest.raises(ViewFault):
        await open_file(b"\xff\xd8\xff" + held.getvalue())


HOSTILE: dict[str, tuple[Callable[[], bytes], type[ViewFault]]] = {
    "fifty thousand pixels a side": (lambda: samples.png(50_000, 50_000, b"\0" * 1000), ViewTooLarge),
    "fewer pixels than it says": (lambda: samples.png(500, 500, b"\0" * 1000), ViewDamaged),
    "cut off": (lambda: samples.picture()[:-40], ViewDamaged),
    "a head alone": (lambda: b"\x89PNG\r\n\x1a\n", ViewDamaged),
    "a packed text of 200 MB": (samples.text_bomb, ViewDamaged),
    "a jpeg of many scans": (lambda: samples.picture("JPEG") + b"\xff\xda" * 200, ViewTooLarge),
    "a jpeg that is none": (lambda: b"\xff\xd8\xff" + b"\xff" * 4000, ViewDamaged),
    "a pdf that is none": (lambda: b"%PDF-1.4 hej", ViewDamaged),
    "a pdf cut off": (lambda: samples.pdf()[:120], ViewDamaged),
    "a program": (lambda: b"MZ\x90\0", ViewForeign),
    "an archive": (lambda: b"PK\x03\x04" + bytes(90), ViewForeign),
    "bytes": (lambda: bytes(range(256)) * 9, ViewForeign),
}


@pytest.mark.parametrize(("make", "fault"), HOSTILE.values(), ids=HOSTILE)
async def test_attack_a_hostile_file_gets_a_reason(make: Callable[[], bytes], fault: type[ViewFault]) -> None:
    with pytest.raises(fault):
        await open_file(make())


async def test_a_file_of_more_bytes_than_are_shown_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.viewing.shown_file.MAX_FILE_BYTES", 10)
    with pytest.raises(ViewTooLarge):
        await open_file(b"a" * 11)


async def test_attack_of_a_pdf_with_100_000_pages_some_are_shown_and_it_is_said() -> None:
    async with shown(samples.pdf(100_000)) as file:
        assert (file.pages, file.cut, len(file.sizes)) == (limits.MAX_PAGES, True, limits.SIZES_AT_ONCE)
        while await file.more_sizes():
            pass
        assert len(file.sizes) == limits.MAX_PAGES
        assert await whole(file, 30, 40, page=limits.MAX_PAGES - 1)


async def test_attack_a_pdf_whose_pages_contain_themselves_shows_white_pages() -> None:
    async with shown(samples.pdf(2, kids="2 0 R 2 0 R")) as file:
        assert set(await whole(file, 30, 40)) == {255}
        assert await file.text(0) == ""


async def test_attack_a_pdf_that_paints_itself_for_ever_ends_its_process_alone() -> None:
    async with shown(samples.pdf_with_a_loop()) as file:
        file._ask_s = 3.0
        with pytest.raises(ViewEnded):
            await whole(file, 300, 400)
        with pytest.raises(ViewEnded):  # and it is not started again: it would not have the file
            await file.text(0)


async def test_the_values_of_form_fields_are_painted_and_their_actions_are_not_carried_out() -> None:
    async with shown(samples.pdf_with_a_form("")) as empty, shown(samples.pdf_with_a_form()) as filled:
        dark = [min(await whole(file, 300, 400)) for file in (empty, filled)]
        assert dark[0] > 200
        assert dark[1] < 60


async def test_attack_nothing_in_a_pdf_is_carried_out_and_only_web_links_are_listed() -> None:
    async with shown(samples.pdf_with_links()) as file:
        assert await whole(file, 300, 400)
        assert [link.address for link in await file.links(0)] == ["https://www.exempel.se/beslut"]


async def test_attack_pages_of_absurd_sizes_are_bounded() -> None:
    for size in ("0 0 1e30 1e30", "0 0 0 0", "0 0 -5 -5", "0 0 1 999999"):
        async with shown(samples.pdf(size=size)) as file:
            assert all(1 <= side <= 14_400 for side in file.sizes[0])
            assert len(await whole(file, 30, 40)) == 4800


# -- a process that was taken over --------------------------------------------------------------------------------

HELD = Tried((), False, 0)
OPENED = Opened(1, ((30.0, 40.0),), False, "")
Ask = Callable[[ShownFile], Coroutine[Any, Any, object]]


async def _render(file: ShownFile) -> bytes:
    return await whole(file, 3, 4)


LIES: dict[str, tuple[list[Answer], Ask | None]] = {
    "no pages": ([Opened(0, (), False, "")], None),
    "too many pages": ([Opened(10**9, ((30.0, 40.0),) * 500, False, "")], None),
    "fewer sizes": ([Opened(3, ((30.0, 40.0),), False, "")], None),
    "a size of nothing": ([Opened(1, ((0.0, 40.0),), False, "")], None),
    "a size without an end": ([Opened(1, ((float("inf"), 40.0),), False, "")], None),
    "a size that is no number": ([Opened(1, ((float("nan"), 40.0),), False, "")], None),
    "an unknown code": ([Opened(0, (), False, "disk-full")], None),
    "another answer": ([PageText("a")], None),
    "too few pixels": ([OPENED, Pixels(b"123")], _render),
    "too many pixels": ([OPENED, Pixels(bytes(49))], _render),
    "a flood of pixels": ([OPENED, Pixels(bytes(9_000_000))], _render),
    "a flood of text": ([OPENED, PageText("a" * (limits.PAGE_CHARS + 1))], lambda file: file.text(0)),
    "a place outside": ([OPENED, Hits((((0.0, 0.0, 2.0, 1.0),),))], lambda file: file.find(0, "a")),
    "a place that is no number": ([OPENED, Hits((((float("nan"), 0.0, 1.0, 1.0),),))], lambda file: file.find(0, "a")),
    "too many places": ([OPENED, Hits(((),) * (limits.MAX_HITS + 1))], lambda file: file.find(0, "a")),
    "a selection outside": ([OPENED, Selected("a", ((-1.0, 0.0, 0.0, 0.0),))],
                            lambda file: file.select(0, (0, 0), (1, 1))),
    "a flood of selected text": ([OPENED, Selected("a" * (limits.PAGE_CHARS + 1), ())],
                                 lambda file: file.select(0, (0, 0), (1, 1))),
    "a flood of addresses": ([OPENED, PageLinks((((0.0, 0.0, 0.0, 0.0), "a" * 2 * limits.MAX_LINKS * 2000),))],
                             lambda file: file.links(0)),
    "too many links": ([OPENED, PageLinks((((0.0, 0.0, 0.0, 0.0), "https://a.se"),) * 201)],
                       lambda file: file.links(0)),
    "sizes again": ([Opened(501, ((30.0, 40.0),) * 500, False, ""), Sizes(())], lambda file: file.more_sizes()),
}  # fmt: skip


def liar(tmp_path: Path, lies: list[Answer]) -> list[str]:
    """The command of a process that gives these answers, whatever it is asked."""
    answers = tmp_path / "answers"
    with answers.open("wb") as file:
        for answer in [HELD, *lies]:
            write(file, answer)
    code = f"import sys; sys.stdout.buffer.write(open({str(answers)!r}, 'rb').read()); sys.stdout.close()"
    return [sys.executable, "-c", code + "; sys.stdin.read()"]


@pytest.mark.parametrize(("lies", "ask"), LIES.values(), ids=LIES)
async def test_attack_a_process_that_was_taken_over_returns_nothing_that_is_not_bounded(
    lies: list[Answer], ask: Ask | None, tmp_path: Path
) -> None:
    async def believe() -> None:
        file = await open_file(samples.pdf(), command=liar(tmp_path, lies))
        assert ask is not None
        await ask(file)

    with pytest.raises(ViewEnded):
        await believe()


async def test_attack_links_that_a_process_gives_are_judged_again(tmp_path: Path) -> None:
    place = (0.0, 0.0, 0.5, 0.5)
    given = (
        "kansli:a",
        "javascript:a",
        "file:///etc/passwd",
        "mailto:a@a.se",
        "https://" + "a" * 3000,
        "https://exempel.se/\u202efdp.exe",
        "http://å.se/x",
    )
    command = liar(tmp_path, [OPENED, PageLinks(tuple((place, address) for address in given))])
    file = await open_file(samples.pdf(), command=command)
    assert [link.address for link in await file.links(0)] == ["http://å.se/x"]
    file.close()


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.stdin.buffer.read(8); print('no frame'); sys.stdout.flush()",
        "import sys; sys.stdin.read()",
    ],
    ids=["ends", "killed", "babbles", "hangs"],
)
async def test_attack_a_process_that_ends_hangs_or_babbles_is_reported(code: str) -> None:
    with pytest.raises(ViewEnded):
        await open_file(b"a", command=[sys.executable, "-c", code], ask_s=0.5, open_s=0.5)


async def test_a_process_that_cannot_be_started_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ViewUnavailable):
        await open_file(b"a", command=[str(tmp_path / "nothing")])


async def test_closing_ends_the_process_and_what_waits() -> None:
    file = await open_file(samples.pdf())
    process = file._worker._process
    assert process is not None
    waiting = [asyncio.ensure_future(whole(file, 300, 400)) for _ in range(5)]
    await asyncio.sleep(0)
    file.close()
    file.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, bytes | ViewEnded | asyncio.CancelledError) for result in results)
    assert process.poll() is not None
    with pytest.raises(ViewEnded):
        await file.text(0)


@pytest.mark.skipif(sys.platform != "linux", reason="what is enforced on Windows is in confine_windows")
def test_attack_the_process_can_open_nothing() -> None:
    assert b'"file": "refused", "read": "refused", "socket": "refused"' in tried(
        "app.viewing", "Viewing", encode(PutBytes(b"a"))
    )


def test_the_process_has_everything_loaded_before_it_gives_up_opening_files() -> None:
    """Also as root, for whom most limits hold: a file of each kind."""
    files = [
        (JPEG, samples.photo_on_its_side()),
        (PNG, samples.picture(mode="P", colour=1)),
        (PDF, samples.pdf()),
        (TEXT, "å".encode("utf-16")),
        (TEXT, "å".encode("cp1252")),
    ]
    frames = b"".join(encode(PutBytes(data)) + encode(Open(kind)) for kind, data in files[:3])
    frames += encode(Render(0, 9, 9, 0, 0, 9, 9, 1))
    frames += b"".join(encode(PutBytes(data)) + encode(Open(kind)) for kind, data in files[3:])
    command = [sys.executable, "-m", "app.viewing"]
    stream = io.BytesIO(subprocess.run(command, input=frames, capture_output=True, check=True).stdout)
    answers = [read_answer(stream) for _ in range(11)]
    assert [answer.code for answer in answers if isinstance(answer, Opened)] == [""] * 5
    assert sum(isinstance(answer, Pixels) for answer in answers) == 1
