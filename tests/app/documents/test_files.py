# SPDX-License-Identifier: EUPL-1.2
"""Documents to files and files to documents, through the process that converts: whole or not at all."""

import asyncio
import errno
import io
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from app.core.ids import ObjId
from app.documents.conversion import wire
from app.documents.conversion.converter import Converter
from app.documents.errors import (
    ConversionDied,
    ConversionFault,
    ConversionUnavailable,
    ExportFailed,
    ExportFull,
    ImportDamaged,
    ImportForeign,
    ImportTooLarge,
    PrintOff,
)
from app.documents.files import MAX_FILE_BYTES, DocumentFiles
from app.errors import ExportOff, FileUnreadable
from app.richtext.flow import Block, Marks, Run, Style
from app.richtext.formats import Taken
from app.worker.client import Worker
from app.worker.frames import (
    MAX_FRAME,
    Answer,
    Convert,
    Converted,
    Part,
    PutBytes,
    Tried,
    encode,
    read_answer,
    write,
)  # fmt: skip
from tests.app.documents import made_files
from tests.app.documents.desks import Desk, World
from tests.app.worker.confined import tried
from tests.office import EK, HL, NAMES, ROOM
from tests.world import until

CANARY = "kanariefågel-i-gruvan"
HELD = Tried((), False, 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.close()


@pytest.fixture
def hl(world: World) -> Desk:
    return world.add(HL)


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()]


def texts(desk: Desk, obj: ObjId) -> list[str]:
    return [block.text for block in desk.documents.shown_now(obj)[1]]


def decision(desk: Desk) -> ObjId:
    """A document that two wrote in, and of which one deleted something."""
    obj = desk.documents.create(ROOM, "Beslut å 🙂")
    document = desk.documents.open(obj)
    document.splice(0, 0, f"{CANARY}\nSkäl ö\nPunkt")
    document.splice(0, len(CANARY) + 1, "")
    document.set_styles(0, [Style(heading=1), Style(list="ol", indent=1)])
    document.format(0, 4, {"link": "https://a.se/å"})
    desk.documents.close(obj)
    return obj


async def test_a_document_becomes_a_word_document_and_comes_back_from_it(hl: Desk, tmp_path: Path) -> None:
    obj = decision(hl)
    target = tmp_path / "Beslut.docx"
    await hl.documents.files.export_docx(obj, target)
    imported = await hl.documents.files.import_file(ROOM, target)
    assert imported.title == "Beslut"
    assert imported.taken.others == ()
    _, before = hl.documents.shown_now(obj)
    _, after = hl.documents.shown_now(imported.obj)
    assert [(b.runs, b.style) for b in after] == [(b.runs, b.style) for b in before]
    assert {row.title for row in hl.documents.list(ROOM)} == {"Beslut å 🙂", "Beslut"}


async def test_an_imported_document_reaches_colleagues_whole(world: World, hl: Desk, tmp_path: Path) -> None:
    ek = world.add(EK)
    long = "\n".join(f"Rad {n} å 🙂" for n in range(20_000))
    imported = await hl.documents.files.import_file(ROOM, written(tmp_path, "lång.txt", long.encode()))
    world.deliver()
    assert [row.title for row in ek.documents.list(ROOM)] == ["lång"]
    assert texts(ek, imported.obj) == long.split("\n")
    ek.documents.rename(imported.obj, "Annat")
    world.deliver()
    assert [row.title for row in hl.documents.list(ROOM)] == ["Annat"]


async def test_what_goes_out_is_a_clean_copy(world: World, hl: Desk, tmp_path: Path) -> None:
    """No deleted text, nobody's name, no time: in no part of the file."""
    ek = world.add(EK)
    obj = decision(hl)
    world.deliver()
    document = ek.documents.open(obj)
    document.splice(document.length_utf16, 0, "\nEK skrev detta")
    ek.documents.close(obj)
    world.deliver()
    files = hl.documents.files
    await files.export_docx(obj, tmp_path / "a.docx")
    await files.export_markdown(obj, tmp_path / "a.md")
    with zipfile.ZipFile(tmp_path / "a.docx") as made:
        parts = [made.read(name) for name in made.namelist()]
        about = [str(entry) + repr(entry.comment) for entry in made.infolist()] + [repr(made.comment)]
    whole = b"\n".join([*parts, *(line.encode() for line in about), (tmp_path / "a.md").read_bytes()])
    assert b"EK skrev detta" in whole
    assert not [name for name in (CANARY, *NAMES.values()) if name.encode() in whole]
    assert not re.search(rb"20\d\d-\d\d-\d\dT|<cp:|<dcterms:|<dc:(?!title)", whole.replace(b"<cp:coreProperties", b""))


async def test_a_file_that_is_not_read_gives_the_reason_and_leaves_no_document(hl: Desk, tmp_path: Path) -> None:
    files = hl.documents.files
    for name, (make, code) in made_files.HOSTILE.items():
        with pytest.raises(ConversionFault) as fault:
            await files.import_file(ROOM, written(tmp_path, f"{name}.docx", make()))
        assert fault.value.code == code, name
    assert hl.documents.list(ROOM) == []


async def test_a_file_of_100_mb_is_not_read_at_all(hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stor.docx"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    monkeypatch.setattr("app.documents.files.Converter.read", _never)
    with pytest.raises(ImportTooLarge):
        await hl.documents.files.import_file(ROOM, path)


async def test_the_largest_file_that_is_read_passes_through(hl: Desk, tmp_path: Path) -> None:
    data = made_files.docx(made_files.paragraph("å"), parts={"word/media/a.png": os.urandom(MAX_FILE_BYTES - 10_000)})
    assert MAX_FILE_BYTES - 10_000 < len(data) <= MAX_FILE_BYTES
    imported = await hl.documents.files.import_file(ROOM, written(tmp_path, "a.docx", data))
    assert texts(hl, imported.obj) == ["å"]


async def test_what_is_no_file_or_of_another_kind_is_not_opened(hl: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.docx")
    for path in (tmp_path / "a.docx", tmp_path, tmp_path / "nothing.docx"):
        with pytest.raises(FileUnreadable):
            await hl.documents.files.import_file(ROOM, path)
    with pytest.raises(ImportForeign):
        await hl.documents.files.import_file(ROOM, written(tmp_path, "a.exe", b"MZ"))


async def test_policy_is_asked_before_anything_is_made(hl: Desk, tmp_path: Path) -> None:
    obj = decision(hl)
    files = hl.documents.files
    files.may_export = lambda: False
    for out in (files.export_docx(obj, tmp_path / "a"), files.export_markdown(obj, tmp_path / "a"),
                files.export_pdf(tmp_path / "a", b"pdf")):  # fmt: skip
        with pytest.raises(ExportOff):
            await out
    files.may_export, files.may_print = lambda: True, lambda: False
    with pytest.raises(PrintOff):
        await files.export_pdf(tmp_path / "a", b"pdf")
    with pytest.raises(PrintOff):
        files.check_print()
    await files.export_markdown(obj, tmp_path / "b")
    assert names(tmp_path) == ["b"]


async def test_a_full_disk_or_a_locked_folder_raises_and_leaves_nothing(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obj, folder = decision(hl), tmp_path / "ut"
    folder.mkdir()
    (folder / "a.md").write_text("before", encoding="utf-8")
    with pytest.raises(ExportFailed):
        await hl.documents.files.export_markdown(obj, tmp_path / "no folder" / "a.md")

    def full(_fd: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(ExportFull):
            await hl.documents.files.export_markdown(obj, folder / "a.md")
    assert [(path.name, path.read_text(encoding="utf-8")) for path in folder.iterdir()] == [("a.md", "before")]


async def test_attack_an_unfinished_file_cannot_be_guessed_and_is_for_its_user_alone(
    hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    fsync = os.fsync

    def look(fd: int) -> None:
        seen.extend((p.name, stat.S_IMODE(p.stat().st_mode)) for p in tmp_path.iterdir() if p.is_file())
        fsync(fd)

    monkeypatch.setattr("os.fsync", look)
    obj = decision(hl)
    await hl.documents.files.export_markdown(obj, tmp_path / "a.md")
    ((name, mode),) = [one for one in seen if one[0] != "office.db"]
    assert re.fullmatch(r"\.a\.md\.[0-9a-f]{32}\.part", name)
    assert mode == 0o600


def process(code: str) -> Converter:
    return Converter([sys.executable, "-c", code], limit_s=0.5)


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import sys; sys.stdin.buffer.read(8); print('no frame'); sys.stdout.flush()",
        "import sys; from app.worker.frames import *; write(sys.stdout.buffer, Tried((), False, 0)); sys.stdin.read()",
    ],
    ids=["ends", "killed", "babbles", "hangs"],
)
async def test_a_process_that_ends_hangs_or_babbles_is_reported_and_leaves_nothing(
    hl: Desk, tmp_path: Path, code: str
) -> None:
    files = DocumentFiles(hl.store.db, hl.documents, process(code))
    with pytest.raises(ConversionDied):
        await files.import_file(ROOM, written(tmp_path, "a.txt", "å".encode()))
    assert hl.documents.list(ROOM) == []


async def test_a_process_that_cannot_be_started_is_reported(hl: Desk, tmp_path: Path) -> None:
    files = DocumentFiles(hl.store.db, hl.documents, Converter([str(tmp_path / "nothing")]))
    with pytest.raises(ConversionUnavailable):
        await files.export_docx(decision(hl), tmp_path / "a.docx")
    hl.documents.files.close()
    with pytest.raises(ConversionUnavailable):
        await hl.documents.files.export_docx(decision(hl), tmp_path / "a.docx")


BAD = wire.encode_taken(Taken(blocks=[Block((Run("å", Marks(link="file:///etc/passwd")),), Style(heading=9))]))
LIES: dict[str, list[Answer]] = {
    "kind": [HELD, HELD],
    "long": [Tried((True,) * 2000, False, 0), Converted(len(BAD), "", ""), Part(BAD)],
    "where": [HELD, Converted(len(BAD), "", "a" * 2000), Part(BAD)],
    "size": [HELD, Converted(2**40, "", "")],
    "none": [HELD, Converted(0, "", "")],
    "code": [HELD, Converted(0, "disk-full", "")],
    "short": [HELD, Converted(4, "", ""), Part(b"")],
    "more": [HELD, Converted(len(BAD) - 1, "", ""), Part(BAD)],
    "bytes": [HELD, Converted(3, "", ""), Part(b"123")],
    "blocks": [HELD, Converted(9, "", ""), Part(b"\0\0\0\x05\x94\x00\x00\x90\xc2")],
}


def liar(tmp_path: Path, lies: list[Answer]) -> Converter:
    answers = tmp_path / "answers"
    with answers.open("wb") as file:
        for answer in lies:
            write(file, answer)
    assert answers.stat().st_size < MAX_FRAME
    code = f"import sys; sys.stdout.buffer.write(open({str(answers)!r}, 'rb').read()); sys.stdout.close()"
    return Converter([sys.executable, "-c", code + "; sys.stdin.read()"])


@pytest.mark.parametrize("lies", LIES.values(), ids=LIES)
async def test_attack_a_process_that_was_taken_over_returns_nothing_that_is_not_bounded(
    lies: list[Answer], tmp_path: Path
) -> None:
    with pytest.raises(ConversionDied):
        await liar(tmp_path, lies).read("txt", b"a")


async def test_attack_an_answer_that_is_longer_than_may_be_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Answer] = [HELD, Converted(len(BAD), "", ""), Part(BAD)]
    assert (await liar(tmp_path, answers).read("txt", b"a")).blocks
    monkeypatch.setattr(wire, "MAX_BYTES", len(BAD) - 1)
    with pytest.raises(ConversionDied):
        await liar(tmp_path, answers).read("txt", b"a")


async def test_attack_what_a_process_returns_is_judged_like_a_strangers_paste(tmp_path: Path) -> None:
    found = await liar(tmp_path, [HELD, Converted(len(BAD), "", ""), Part(BAD)]).read("txt", b"a")
    assert found.blocks[0].runs == (Run("å"),)
    assert found.blocks[0].style == Style()


@pytest.mark.parametrize("where", ["word/å.xml", "word/a\n.xml", "word/\u202elmx.xml", "a" * 101])
async def test_attack_a_part_that_a_process_names_is_shown_only_if_its_name_is_plain(
    where: str, tmp_path: Path
) -> None:
    """Of a process that was taken over, nothing but a short name in ASCII gets into the sentence about a file."""
    for given, shown in ((where, ""), ("word/document.xml", "word/document.xml")):
        with pytest.raises(ImportDamaged) as fault:
            await liar(tmp_path, [HELD, Converted(0, "import-damaged", given)]).read("txt", b"a")
        assert fault.value.where == shown


async def test_a_conversion_that_is_cancelled_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    begin = Worker._begin

    def noted(self: Worker) -> "subprocess.Popen[bytes]":
        begun.append(begin(self))
        return begun[-1]

    monkeypatch.setattr(Worker, "_begin", noted)
    converter = Converter([sys.executable, "-c", "import sys; sys.stdin.read()"])
    task = asyncio.ensure_future(converter.read("txt", b"a"))
    await until(lambda: bool(begun))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: begun[0].poll() is not None)


@pytest.mark.skipif(sys.platform != "linux", reason="what is enforced on Windows is in confine_windows")
def test_attack_the_process_can_open_nothing() -> None:
    assert b'"file": "refused", "read": "refused", "socket": "refused"' in tried(
        "app.documents.conversion", "Converting", _question()
    )


def test_the_process_has_everything_loaded_before_it_gives_up_opening_files() -> None:
    """Also as root, for whom most limits hold: a document in and out, of every kind."""
    frames = _question("docx", made_files.with_macros()) + _question(
        "md", "[å](https://ö.se) &amp;\n\n- b ~~c~~\n\n|a|b|\n|-|-|\n|c|d|".encode()
    )
    frames += b"".join(_question("txt", "å".encode(encoding)) for encoding in ("utf-16", "utf-8-sig", "cp1252"))
    frames += _question(wire.DOCX_OUT, wire.encode_document("å", [Block((Run("b", Marks(link="https://å.se")),))]))
    command = [sys.executable, "-m", "app.documents.conversion"]
    reply = subprocess.run(command, input=frames, capture_output=True, check=True).stdout
    stream = io.BytesIO(reply)
    answers = [read_answer(stream) for _ in range(12)]
    assert [a.code for a in answers if isinstance(a, Converted)] == [""] * 6
    assert reply


def _question(kind: str = "txt", data: bytes = b"a") -> bytes:
    return encode(PutBytes(data)) + encode(Convert(kind))


def _never(*_: object, **__: object) -> NoReturn:
    raise AssertionError("it was opened")
