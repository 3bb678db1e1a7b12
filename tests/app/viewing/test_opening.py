# SPDX-License-Identifier: EUPL-1.2
"""Which files may be opened in another program: no program, no script, nothing with macros, whatever its name says."""

import io
import sys
import tracemalloc
import zipfile
from collections.abc import Mapping

import pytest

from app.viewing import shown_file
from app.viewing.danger import check_bytes, check_name
from app.viewing.errors import OpensMacros, OpensOldOffice, OpensProgram, OpensUnchecked, ViewEnded, ViewFault
from app.viewing.package import look_inside
from app.viewing.shown_file import check_opening, open_file
from app.worker.client import Worker
from app.worker.frames import Answer, Question

TYPES = "[Content_Types].xml"


def package(files: Mapping[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files, by their paths."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", packed) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data, packed)  # without the time: the same files, the same bytes
    return held.getvalue()


def ooxml(*more: str, types: str = "") -> bytes:
    """A document of Word with these further files."""
    content = f"<Types>{types}</Types>".encode()
    return package({TYPES: content, "word/document.xml": b"<w/>", **dict.fromkeys(more, b"x")})


def odt(*more: str) -> bytes:
    """A document of LibreOffice with these further files."""
    return package({"mimetype": b"application/vnd.oasis.opendocument.text", **dict.fromkeys(more, b"x")})


@pytest.mark.parametrize(
    "name",
    ["a.exe", "Beslut.pdf.exe", "a.EXE", "a.ps1", "a.sh", "a.js", "a.desktop", "a.lnk", "a.html", "a.svg", "a.iso",
     "a.jar", "å 🙂.bat", "a.appref-ms", "a.wsb", "a.oxt", "a.xpi", "a.xbap", "a.library-ms", "a.scf", "a.URL"],
)  # fmt: skip
def test_attack_a_program_by_its_name_is_refused(name: str) -> None:
    with pytest.raises(OpensProgram):
        check_name(name)


@pytest.mark.parametrize("name", ["a.docm", "a.XLSM", "a.xlsb", "a.accdb", "a.vsdm"])
def test_attack_a_macro_file_by_its_name_is_refused(name: str) -> None:
    with pytest.raises(OpensMacros):
        check_name(name)


@pytest.mark.parametrize("name", ["Beslut.docx", "a.odt", "a.xlsx", "a", "bild.heic", "a.zip", "a.exe.docx"])
def test_documents_are_not_refused_by_their_name(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "data",
    [b"MZ\x90\0", b"\x7fELF\2", b"#!/bin/sh\n", b"\xef\xbb\xbf#!/bin/sh\n", b"[Desktop Entry]\nExec=x",
     b"\xcf\xfa\xed\xfe", b"<html><script>x</script>", b"  <svg onload='x'>", "<script>".encode("utf-16"),
     b"L\0\0\0\1\x14\2\0"],
)  # fmt: skip
async def test_attack_a_program_under_a_documents_name_is_refused(data: bytes) -> None:
    with pytest.raises(OpensProgram):
        await check_opening("Beslut åäö 🙂.docx", data)


def test_attack_a_long_file_is_not_copied_on_the_event_loop() -> None:
    data = b"\xef\xbb\xbfa" + b"\0" * (8 << 20)
    tracemalloc.start()
    try:
        assert not check_bytes(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


async def test_attack_an_old_office_file_is_refused_whatever_it_holds() -> None:
    with pytest.raises(OpensOldOffice):
        await check_opening("Beslut.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))


@pytest.mark.parametrize(
    "data",
    [
        ooxml("word/vbaProject.bin"),
        ooxml("WORD/VBAPROJECT.BIN"),
        ooxml("word/other.bin", types='<Override ContentType="application/vnd.ms-office.vbaProject"/>'),
        ooxml(types='<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>'),
        ooxml("xl/macrosheets/sheet1.xml"),
        ooxml("word/activeX/activeX1.xml"),
        odt("Basic/Standard/Module1.xml"),
        odt("Scripts/python/a.py"),
        b'<?xml version="1.0"?><office:document><ooo:library-embedded/></office:document>',
    ],
    ids=["vba", "upper case", "type", "enabled", "excel 4", "activex", "basic", "scripts", "flat"],
)
async def test_attack_macros_are_found_whatever_the_name_says(data: bytes) -> None:
    with pytest.raises(OpensMacros):
        await check_opening("Beslut.docx", data)


PAGE = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=a\r\n\r\n--a\r\n"
LATE = b"<?xml version='1.0'?><!--" + b"x" * 200_000 + b"-->"


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + ooxml("word/vbaProject.bin"),
        b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>',
        '<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"/>'.encode(
            "utf-16"
        ),
        LATE + b'<w:wordDocument w:macrosPresent="yes"/>',
        package({"mimetype": b"application/vnd.oasis.opendocument.text",
                 "content.xml": b" " * 1_048_570 + b"<script:event-listener xlink:href='vnd.sun.star.script:a'/>"}),
        package({"mimetype": b"application/vnd.oasis.opendocument.text",
                 "Object 1/content.xml": "<a xlink:href='vnd.sun.star.script:a'/>".encode("utf-16")}),
    ],
    ids=["a picture before it", "word in xml", "package in xml", "late", "call", "call in an object"],
)  # fmt: skip
async def test_attack_macros_in_a_disguise_are_found(data: bytes) -> None:
    with pytest.raises(OpensMacros):
        await check_opening("Beslut åäö 🙂.docx", data)


@pytest.mark.parametrize(
    "data",
    [
        LATE + b"<html><script>x</script></html>",
        b" " * 100_000 + b"<html><script>x</script></html>",
        b"<a><b:script xmlns:b='http://www.w3.org/1999/xhtml'>x</b:script></a>",
        b"<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='#a'?><a/>",
        PAGE,
        b"GIF89a" + package({"faktura.pdf.exe": b"MZ"}),
    ],
    ids=["late", "after blanks", "another name", "style", "page", "a picture before it"],
)
async def test_attack_scripts_in_a_disguise_are_found(data: bytes) -> None:
    with pytest.raises(OpensProgram):
        await check_opening("Underlag å.xml", data)


@pytest.mark.parametrize("data", [b"\x09\x04\x06\0\0\0\x40\0", b"a;b\n", b"From: x\r\n"])
async def test_attack_what_only_its_name_makes_an_old_office_file_is_refused(data: bytes) -> None:
    with pytest.raises(OpensOldOffice):
        await check_opening("Lista.xls", data)


async def test_attack_markup_with_entities_is_not_opened() -> None:
    hidden = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY m "&#60;ooo:library-embed&#100;ed/>">]><a>&m;</a>'
    with pytest.raises(OpensUnchecked):
        await check_opening("Beslut.fodt", hidden)
    with pytest.raises(OpensUnchecked):
        await check_opening("Beslut.odt", package({"mimetype": b"x", "content.xml": hidden}))


async def test_a_document_without_macros_may_be_opened() -> None:
    await check_opening("Beslut.doc", b"{\\rtf1 x}")
    await check_opening("Beslut.doc", ooxml())
    await check_opening("Brev.eml", PAGE)
    await check_opening("Underlag.xml", LATE + "<faktura>å ä ö 🙂</faktura>".encode())
    await check_opening("film.mp4", bytes(100_000) + b"moov")
    await check_opening("Beslut åäö 🙂.docx", ooxml())
    await check_opening("Beslut.odt", odt("content.xml"))
    await check_opening("bild.heic", b"\0\0\0\x18ftypheic")


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04 no archive", ooxml()[:-10], ooxml()[:40] + ooxml()[90:]], ids=["none", "cut", "torn"]
)
async def test_bad_input_an_archive_that_cannot_be_read_is_not_opened(data: bytes) -> None:
    with pytest.raises(OpensUnchecked):
        await check_opening("a.docx", data)


async def test_attack_an_archive_of_programs_is_refused() -> None:
    with pytest.raises(OpensProgram):
        await check_opening("a.zip", package({"faktura.pdf.exe": b"MZ"}))


def test_attack_a_list_of_types_that_unpacks_to_much_is_not_unpacked() -> None:
    with pytest.raises(ViewFault):
        look_inside(package({TYPES: b" " * 200_000_000}))


def test_the_archive_is_looked_through_in_a_process_of_its_own() -> None:
    assert check_bytes(ooxml())  # here only its first bytes are compared


async def test_attack_a_process_that_looks_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_file, "OPEN_S", 0.5)
    with pytest.raises(ViewEnded):
        await check_opening("a.docx", ooxml(), command=[sys.executable, "-c", "import sys; sys.stdin.read()"])


async def test_opening_a_file_may_take_longer_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = list[float]()
    ask = Worker.ask

    def noted(worker: Worker, question: Question, kind: type[Answer], limit_s: float, most_bytes: int) -> Answer:
        limits.append(limit_s)
        return ask(worker, question, kind, limit_s, most_bytes)

    monkeypatch.setattr(Worker, "ask", noted)
    file = await open_file(b"a", ask_s=9.0, open_s=21.0)
    assert await file.text(0) == "a"
    assert limits == [21.0, 21.0, 9.0]
    file.close()
