# SPDX-License-Identifier: EUPL-1.2
"""What is read of a Word document, what is refused, and what is in one that we write."""

import contextlib
import io
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.conversion import archive, docx_writer, wire
from app.documents.conversion.process import converted
from app.documents.errors import ConversionFault, ImportBomb, ImportTooLarge
from app.richtext.flow import BODY, PLAIN, Block, Marks, Run, Style, joined
from app.richtext.formats import Taken
from tests.app.documents import made_files
from tests.app.documents.made_files import docx, paragraph

NUMBERED = (
    '<w:abstractNum w:abstractNumId="7">{levels}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
)
LEVEL = '<w:lvl w:ilvl="{at}"><w:start w:val="{start}"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
STYLES = """<w:style w:type="paragraph" w:styleId="Rubrik2"><w:name w:val="heading 2"/></w:style>
<w:style w:type="paragraph" w:styleId="Egen"><w:name w:val="Egen"/><w:basedOn w:val="Rubrik2"/></w:style>
<w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:basedOn w:val="B"/></w:style>
<w:style w:type="paragraph" w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/></w:style>
<w:style w:type="character" w:styleId="Stark"><w:name w:val="Strong"/><w:rPr><w:b/></w:rPr></w:style>"""


def taken(data: bytes, kind: str = "docx") -> Taken:
    return wire.decode_taken(converted(kind, data))


def lines(data: bytes) -> list[tuple[str, Style]]:
    return [(block.text, block.style) for block in taken(data).blocks]


def styled(name: str) -> str:
    return f'<w:pPr><w:pStyle w:val="{name}"/></w:pPr>'


def item(number: int = 1, level: int = 0) -> str:
    return f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr></w:pPr>'


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_styles_are_known_by_what_they_are_based_on_and_may_be_so_in_a_circle() -> None:
    found = lines(docx("".join(paragraph(n, styled(n)) for n in ("Rubrik2", "Egen", "A", "Okänd")), styles=STYLES))
    assert found == [("Rubrik2", Style(heading=2)), ("Egen", Style(heading=2)), ("A", BODY), ("Okänd", BODY)]


def test_marks_on_characters_come_along_and_may_take_a_styles_away() -> None:
    inside = run("a", '<w:rStyle w:val="Stark"/>') + run("b", '<w:rStyle w:val="Stark"/><w:b w:val="0"/><w:i/>')
    inside += run("c", '<w:dstrike/><w:u w:val="single"/>')
    (block,) = taken(docx(f"<w:p>{inside}</w:p>", styles=STYLES)).blocks
    assert block.runs == (
        Run("a", Marks(bold=True)),
        Run("b", Marks(italic=True)),
        Run("c", Marks(underline=True, strike=True)),
    )


def test_a_list_that_goes_on_after_a_paragraph_is_counted_as_renumbered() -> None:
    numbering = NUMBERED.format(levels=LEVEL.format(at=0, start=1))
    whole = docx(paragraph("ett", item()) + paragraph("två", item()), numbering=numbering)
    assert lines(whole) == [("ett", Style(list="ol", indent=1)), ("två", Style(list="ol", indent=1))]
    assert taken(whole).others == ()
    parted = docx(paragraph("ett", item()) + paragraph("å") + paragraph("två", item()), numbering=numbering)
    assert taken(parted).others == (("numbering", 1),)
    fifth = docx(paragraph("fem", item()), numbering=NUMBERED.format(levels=LEVEL.format(at=0, start=5)))
    assert taken(fifth).others == (("numbering", 1),)


def test_deleted_text_stays_away_and_inserted_text_comes() -> None:
    inside = '<w:ins w:author="Registrator"><w:r><w:t>ny</w:t></w:r></w:ins>'
    inside += "<w:del><w:r><w:delText>gammal</w:delText></w:r></w:del>"
    found = taken(docx(f"<w:p>{run('å ')}{inside}</w:p>"))
    assert found.blocks[0].text == "å ny"
    assert found.others == (("changes", 2),)


def test_a_field_shows_its_result_and_never_what_it_is_made_of() -> None:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    shows = '<w:r><w:instrText> HYPERLINK "https://a.se/b" \\l "c" </w:instrText></w:r>'
    field = mark.format("begin") + shows + mark.format("separate") + run("här") + mark.format("end")
    (first, second) = taken(docx(f"<w:p>{field}{run(' efter')}</w:p><w:p>{mark.format('begin')}{shows}</w:p>")).blocks
    assert first.runs == (Run("här", Marks(link="https://a.se/b#c")), Run(" efter"))
    assert second.text == ""


def test_attack_a_link_that_may_not_be_opened_is_text_and_counted() -> None:
    links = {"a": "file:///etc/passwd", "b": "\\\\server\\share", "c": "https://a.se"}
    inside = "".join(f'<w:hyperlink r:id="{key}">{run(key)}</w:hyperlink>' for key in (*links, "d"))
    found = taken(docx(f"<w:p>{inside}</w:p>", links=links))
    assert [r.marks.link for r in found.blocks[0].runs] == ["", "https://a.se", ""]
    assert found.others == (("links", 2),)


def test_hidden_text_symbols_and_headers_are_counted() -> None:
    inside = run("dold", "<w:vanish/>") + run("synlig") + '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'
    inside += '<w:r><w:sym w:font="Wingdings" w:char="F0AA"/></w:r>'
    header = '<w:hdr xmlns:w="x"><w:p><w:r><w:t>Myndigheten</w:t></w:r></w:p></w:hdr>'
    found = taken(docx(f"<w:p>{inside}</w:p>", parts={"word/header1.xml": header}))
    assert found.blocks[0].text == "synlig☑"
    assert found.others == (("headers", 1), ("hidden", 1), ("symbols", 1))


def style(name: str, kind: str, inside: str, more: str = "") -> str:
    return f'<w:style w:type="{kind}" w:styleId="{name}"{more}><w:name w:val="{name}"/>{inside}</w:style>'


def test_attack_text_that_a_style_hides_stays_behind_too() -> None:
    gone = "<w:rPr><w:vanish/></w:rPr>"
    styles = style("Dold", "paragraph", gone) + style("Ur", "paragraph", '<w:basedOn w:val="Dold"/>')
    styles += style("Tecken", "character", gone) + style("Fram", "paragraph", gone.replace("/>", ' w:val="0"/>'))
    inside = paragraph("a", styled("Dold")) + paragraph("b", styled("Ur")) + paragraph("c å")
    inside += "<w:p>" + run("d", '<w:rStyle w:val="Tecken"/>') + run("e") + "</w:p>"
    inside += "<w:p>" + styled("Dold") + run("f", '<w:vanish w:val="0"/>') + "</w:p>" + paragraph("g", styled("Fram"))
    found = taken(docx(inside, styles=styles))
    assert [block.text for block in found.blocks if block.text] == ["c å", "e", "f", "g"]
    assert found.others == (("hidden", 3),)
    every = f"<w:docDefaults><w:rPrDefault>{gone}</w:rPrDefault></w:docDefaults>"
    found = taken(docx(inside, styles=every + styles))
    assert [block.text for block in found.blocks if block.text] == ["f", "g"]
    normal = style("N", "paragraph", gone, ' w:default="1"')
    assert [block.text for block in taken(docx(inside, styles=normal + styles)).blocks if block.text] == ["f", "g"]


def test_attack_fields_that_stay_open_take_time_in_proportion() -> None:
    begun = '<w:fldChar w:fldCharType="begin"/><w:fldChar w:fldCharType="separate"/><w:t>å</w:t>'
    began = time.process_time()
    found = taken(docx("<w:p>" + f"<w:r>{begun}</w:r>" * 40_000 + "</w:p>", compress=zipfile.ZIP_STORED))
    assert found.blocks[0].text == "å" * 40_000
    assert time.process_time() - began < 10


def test_attack_a_header_of_tags_that_do_not_end_takes_time_in_proportion() -> None:
    header = "<w:t " * 80_000
    began = time.process_time()
    found = taken(docx(paragraph("å"), parts={"word/header1.xml": header}, compress=zipfile.ZIP_STORED))
    assert time.process_time() - began < 5
    assert found.others == ()


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("utf-8-sig", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'),
        ("utf-8", "<?xml version='1.0' encoding='utf-8'?>"),
        ("utf-8", "<?xml version = '1.0' standalone = 'no' ?>"),
        ("utf-16", '<?xml version="1.0" encoding="UTF-16"?>'),
        ("cp1252", '<?xml version="1.0" encoding="windows-1252"?>'),
        ("utf-8", ""),
    ],
)
def test_every_usual_declaration_is_read(encoding: str, declaration: str) -> None:
    document = (declaration + made_files.body(paragraph("Beslut å"))).encode(encoding)
    assert lines(docx(parts={made_files.DOCUMENT: document})) == [("Beslut å", BODY)]


def test_a_first_paragraph_that_is_too_long_is_not_called_empty() -> None:
    words = "".join(chr(97 + at % 26) * 1000 + str(at) for at in range(5000))
    with pytest.raises(ImportTooLarge):
        taken(docx(f"<w:p>{run(words)}</w:p>", compress=zipfile.ZIP_STORED))


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(inside: str) -> str:
    return f"<w:tc>{inside}</w:tc>"


LONG = "".join(chr(97 + at % 26) * 1000 + str(at) for at in range(5000))


@pytest.mark.parametrize("before", ["", paragraph("Först")])
def test_a_table_that_is_too_long_is_read_up_to_the_limit(before: str) -> None:
    nested = table(cell(paragraph("c")) + cell(paragraph("d")), cell(paragraph(LONG)))
    rows = (cell(paragraph("a")) + cell(paragraph("b")), cell(paragraph("x") + nested) + cell(paragraph("y")))
    found = taken(docx(before + table(*rows), compress=zipfile.ZIP_STORED))
    assert [block.text for block in found.blocks if block.text != "Först"] == ["a\tb", "x", "c\td"]
    assert (found.cut, found.tables) == (True, 2)


def test_a_first_paragraph_that_is_too_long_is_refused_also_beside_a_header() -> None:
    parts = {"word/header1.xml": "<w:t>Sidhuvud</w:t>"}
    with pytest.raises(ImportTooLarge):
        taken(docx(table(cell(paragraph(LONG))), parts=parts, compress=zipfile.ZIP_STORED))


def test_a_table_in_a_control_in_a_cell_is_a_table_in_a_table() -> None:
    inner = table(cell(paragraph("a")) + cell(paragraph("b")))
    wrapped = f"<w:sdt><w:sdtContent>{paragraph('x') + inner}</w:sdtContent></w:sdt>"
    found = lines(docx(table(cell(wrapped) + cell(paragraph("y")))))
    assert found == lines(docx(table(cell(paragraph("x") + inner) + cell(paragraph("y")))))
    assert [text for text, _ in found] == ["x", "a\tb", "y"]


def test_attack_many_addresses_are_written_in_time_in_proportion() -> None:
    links = [f"https://å{at}.se" for at in range(8_000)]
    began = time.process_time()
    made = docx_writer.write_docx("å", [Block((Run("x", Marks(link=link)),)) for link in [*links, links[0]]])
    assert time.process_time() - began < 5
    assert [block.runs[0].marks.link for block in taken(made).blocks] == [*links, links[0]]


def test_macros_are_left_out_and_counted() -> None:
    found = taken(made_files.with_macros(), "docm")
    assert [block.text for block in found.blocks] == ["Beslut å"]
    assert found.others == (("macros", 1),)


@pytest.mark.parametrize(("make", "code"), made_files.HOSTILE.values(), ids=made_files.HOSTILE)
def test_attack_a_file_that_is_no_harmless_document_is_refused_with_its_own_code(
    make: Callable[[], bytes], code: str
) -> None:
    with pytest.raises(ConversionFault) as fault:
        converted("docx", make())
    assert fault.value.code == code


def test_a_refusal_names_the_part_with_the_fault() -> None:
    with pytest.raises(ConversionFault) as fault:
        archive.checked_archive(made_files.entities())
    assert fault.value.where == made_files.DOCUMENT


def test_attack_nothing_is_unpacked_but_what_is_read() -> None:
    data = docx(paragraph("å"), parts={"word/media/a.png": bytes(1_000_000), "word/embeddings/b.bin": b"b"})
    found = archive.checked_archive(data)
    with zipfile.ZipFile(io.BytesIO(found.docx)) as given_on:
        assert all(name.endswith((".xml", ".rels")) for name in given_on.namelist())


def test_attack_no_more_is_unpacked_than_may_be_whatever_sizes_the_parts_declare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit, unpacked = 50_000, list[int]()
    read = zipfile.ZipExtFile.read

    def count(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        part = read(self, n)
        unpacked.append(len(part))
        return part

    monkeypatch.setattr(archive, "MAX_XML_BYTES", limit)
    monkeypatch.setattr(zipfile.ZipExtFile, "read", count)
    for parts in ({"a.xml": f"<a>{'å' * 500_000}</a>"}, {f"{n}.xml": f"<a>{'å' * 10_000}</a>" for n in range(4)}):
        unpacked.clear()
        with pytest.raises(ImportBomb):
            archive.checked_archive(docx(paragraph("å"), parts=parts))
        assert sum(unpacked) == limit + 1
    more_than_it_has = made_files.declared(docx(paragraph("Beslut å")), size=2**31)
    assert lines(more_than_it_has) == [("Beslut å", BODY)]


def test_an_honest_table_of_many_rows_is_no_bomb() -> None:
    rows = (f"<w:tr>{f'<w:tc>{paragraph(str(n))}</w:tc>' * 2}</w:tr>" for n in range(20_000))
    found = taken(docx(f"<w:tbl>{''.join(rows)}</w:tbl>"))
    assert len(found.blocks) == 20_000
    assert found.tables == 1


def test_what_is_written_holds_no_property_but_the_title() -> None:
    with zipfile.ZipFile(io.BytesIO(docx_writer.write_docx("Beslut å & b", [Block((Run("text"),))]))) as made:
        names, core = made.namelist(), made.read("docProps/core.xml").decode()
        times = {entry.date_time for entry in made.infolist()}
        whole = b"".join(made.read(name) for name in names).lower()
    assert not [
        name for name in names if "thumbnail" in name or "comments" in name or "custom" in name or "app.xml" in name
    ]
    assert "<dc:title>Beslut å &amp; b</dc:title>" in core
    assert core.count("<dc:") == 1
    assert times == {(1980, 1, 1, 0, 0, 0)}
    assert b"python" not in whole
    assert b"creator" not in whole


def test_the_same_document_gives_the_same_bytes() -> None:
    blocks = [Block((Run("å", Marks(link="https://a.se")),), Style(list="ol", indent=2))]
    assert docx_writer.write_docx("a", blocks) == docx_writer.write_docx("a", blocks)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff\u2029"), max_size=12)
MARKS = st.builds(
    Marks, bold=st.booleans(), italic=st.booleans(), underline=st.booleans(), strike=st.booleans(),
    link=st.sampled_from(["", "", "https://a.se/?b=1&c=2"]),
)  # fmt: skip
STYLED = st.one_of(
    st.integers(0, 3).map(lambda level: Style(heading=level)),
    st.tuples(st.sampled_from(["ul", "ol"]), st.integers(1, 8)).map(lambda s: Style(list=s[0], indent=s[1])),
    st.just(Style(quote=True)),
)


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    runs = st.lists(st.builds(Run, TEXTS, MARKS), max_size=4)
    found = draw(st.lists(st.builds(lambda r, s: Block(joined(r), s), runs, STYLED), min_size=1, max_size=8))
    return [Block(joined(Run(r.text, _shown(r.marks)) for r in b.runs), b.style) for b in found]


def _shown(marks: Marks) -> Marks:
    """A link is underlined anyway: no file says so twice."""
    return marks._replace(underline=marks.underline and not marks.link)


@pytest.mark.slow
@given(blocks())
def test_any_document_reads_back_as_it_was_written(given_blocks: list[Block]) -> None:
    if not any(b.text.strip() for b in given_blocks):
        return
    back = taken(docx_writer.write_docx("å", given_blocks))
    assert [(b.runs, b.style) for b in back.blocks] == [(b.runs, b.style) for b in given_blocks]
    assert back.others == ()


@given(st.binary(max_size=400), st.sampled_from(wire.KINDS))
def test_any_bytes_are_a_document_or_refused(data: bytes, kind: str) -> None:
    with contextlib.suppress(ConversionFault):
        assert taken(data, kind).blocks


def test_control_characters_do_not_spoil_the_file() -> None:
    (block,) = taken(docx_writer.write_docx("\x01", [Block((Run("a\x02b\ufffe", PLAIN),))])).blocks
    assert block.text == "a\ufffdb\ufffd"
