# SPDX-License-Identifier: EUPL-1.2
"""Word documents of other programs' tests: in, out, and the same to another program."""

from pathlib import Path

import pytest

from app.documents.conversion import wire
from app.documents.conversion.docx_writer import write_docx
from app.documents.conversion.process import converted
from app.richtext.formats import Taken
from app.richtext.markdown import to_markdown
from tests.app.documents.other_program import needs_pandoc, read

CORPUS = Path(__file__).parent / "corpus"
LOST: dict[str, dict[str, int]] = {
    "mammoth-text-box": {"boxes": 1},
    "pandoc-headers": {"headings": 3},
    "pandoc-inline_formatting": {},
    "pandoc-links": {},
    "pandoc-lists": {},
    "pandoc-notes": {"endnotes": 1, "footnotes": 1},
    "pandoc-tables": {"tables": 3},
    "pandoc-task_list": {},
    "pandoc-track_changes_move": {"changes": 2},
    "poi-EmbeddedDocument": {"objects": 1},
    "python-docx-comments-rich-para": {"comments": 4},
    "python-docx-par-hyperlinks": {},
}
"""What of each file a document cannot hold."""


def taken(data: bytes, kind: str = "docx") -> Taken:
    return wire.decode_taken(converted(kind, data))


def counts(found: Taken) -> dict[str, int]:
    all_of_them = {"pictures": found.pictures, "tables": found.tables} | dict(found.others)
    return {kind: count for kind, count in all_of_them.items() if count}


@needs_pandoc
@pytest.mark.slow
@pytest.mark.parametrize("name", LOST)
def test_a_word_document_that_was_here_is_the_same_to_another_program(name: str) -> None:
    data = (CORPUS / f"{name}.docx").read_bytes()
    found = taken(data)
    before, after = read(data), read(write_docx(name, found.blocks))
    assert after == before
    assert any(para.text for para in before)


@pytest.mark.parametrize("name", LOST)
def test_what_a_document_cannot_hold_is_counted_by_kind(name: str) -> None:
    assert counts(taken((CORPUS / f"{name}.docx").read_bytes())) == LOST[name]


@pytest.mark.parametrize("name", LOST)
def test_what_we_wrote_reads_back_here_as_it_was_and_loses_nothing(name: str) -> None:
    found = taken((CORPUS / f"{name}.docx").read_bytes())
    again = taken(write_docx(name, found.blocks))
    assert [(b.runs, b.style) for b in again.blocks] == [(b.runs, b.style) for b in found.blocks]
    assert counts(again) == {}


@needs_pandoc
@pytest.mark.slow
@pytest.mark.parametrize("name", LOST)
def test_another_program_reads_the_same_documents_from_markdown(name: str) -> None:
    found = taken((CORPUS / f"{name}.docx").read_bytes())
    wanted = read(write_docx(name, found.blocks))
    markdown = to_markdown(found.blocks).encode()
    text = read(markdown, "commonmark+strikeout")
    assert [(p.kind, p.text, p.number) for p in text] == [(p.kind, p.text, p.number) for p in wanted]


def test_a_document_of_the_strict_format_is_read() -> None:
    found = taken((CORPUS / "mammoth-strict-format.docx").read_bytes())
    assert "".join(block.text for block in found.blocks).strip() == "Test"
    assert counts(found) == {}


def test_the_corpus_is_small_and_each_file_has_its_licence_beside_it() -> None:
    text = (CORPUS / "README.md").read_text(encoding="utf-8")
    files = list(CORPUS.glob("*.docx"))
    assert {file.stem for file in files} == {*LOST, "mammoth-strict-format"}
    assert all(f"`{file.name}`" in text for file in files)
    assert sum(file.stat().st_size for file in files) < 1024 * 1024
