# SPDX-License-Identifier: EUPL-1.2
"""What the fuzzer begins with in the application: one good example of everything that it reads."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tests.fuzz.samples import NOW


def slots() -> list[bytes]:
    argon = bytes(16) + (256 * 1024).to_bytes(4, "big") + (3).to_bytes(4, "big") + (4).to_bytes(4, "big")
    return [
        b"KNSLOT\x01\x01" + len(argon).to_bytes(2, "big") + argon + bytes(104),
        b"KNSLOT\x01\x02\x00\x10" + bytes(16) + bytes(104),
    ]


def chat() -> list[bytes]:
    from app.chat import records as r

    file = r.Attachment(name="å.pdf", size_bytes=9, media_type="application/pdf", manifest=b"m")
    mention = r.Mention(uid=bytes(16), start=4, length=4)

    def part(record: r.Record) -> r.CarriedPart:
        return r.CarriedPart(author=bytes(16), change_id=bytes(16), t=NOW, data=r.encode(record))

    sent = r.MessageSent(text="Hej @Eva **så** ~~här~~ [a](https://b.se)", mentions=(mention,), attachments=(file,))
    records: tuple[r.Record, ...] = (
        sent,
        r.MessageEdited(target=bytes(16), text="`nytt`"),
        r.MessageDeleted(target=bytes(16)),
        r.ReactionSet(target=bytes(16), emoji="👍", on=True),
        r.Carried(author=bytes(16), change_id=bytes(16), t=NOW, data=r.encode(sent)),
        r.Carried(
            author=bytes(16),
            change_id=bytes(16),
            t=NOW,
            data=r.encode(r.MessageSent(text="")),
            edit=part(r.MessageEdited(target=bytes(16), text="nytt å 😀")),
            reactions=(part(r.ReactionSet(target=bytes(16), emoji="👍", on=True)),),
        ),
    )
    return [r.encode(record) for record in records]


def texts() -> list[bytes]:
    return [b"**a** _b_ ~~c~~ `d` [e](https://f.se) https://g.se\n- h\n```\ni\n```\n", b"**a **b [c](d" * 40]


def document() -> bytes:
    from app.richtext.model import Document

    made = Document()
    made.set_up("Beslut")
    made.splice(0, 0, "Hej 🙂\nvärlden")
    return made.snapshot()


def document_records() -> list[bytes]:
    from app.documents.records import CARET, Caret
    from app.objects.pieces import PAYLOAD, Piece, encode

    part = Piece(group=bytes(16), index=0, count=2, update=b"x")
    return [
        *encode(document(), "Beslut"),
        PAYLOAD.encode(part),
        CARET.encode(Caret(obj=bytes(16), selection=b"\0\1ab")),
    ]


def presence() -> list[bytes]:
    from app.presence.records import Ask, Gone, Here, encode

    return [
        encode(Here(state="busy", text="Förhandling 🙂", back_on="2026-12-04", chosen_ms=1, is_new=True)),
        encode(Ask()),
        encode(Gone()),
    ]


def turns() -> list[bytes]:
    from app.notices.turns import Rung, Used
    from app.objects.object import Payload

    payload: Payload[Used | Rung] = Payload(Used | Rung)
    return [payload.encode(Used()), payload.encode(Rung(ids=(bytes(16), b"short"), since=(1, 2**63)))]


def framed(changes: Iterable[tuple[int, bytes]]) -> bytes:
    """Changes of authors 0 to 2 as one input: u8 author, u16 length, data."""
    return b"".join(bytes((author,)) + len(data).to_bytes(2, "big") + data for author, data in changes)


def unframed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The changes in an input; the last one may be shorter than it says."""
    at = 0
    while at + 3 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 3], "big")
        yield data[at] % 3, data[at + 3 : at + 3 + size]
        at += 3 + size


def pieces() -> list[bytes]:
    """The cases of tests/vectors/objects-3-pieces.json."""
    from tests.fuzz.judged import person

    authors = {person(author).hex(): author for author in range(3)} | {person(3).hex(): 0}
    cases = json.loads((Path(__file__).parents[1] / "vectors/objects-3-pieces.json").read_text())
    return [
        framed((authors[step["author"]], bytes.fromhex(step["data"])) for step in case["steps"] if "data" in step)
        for case in cases
    ]


def board() -> bytes:
    from app.tasks.model import Board

    made = Board()
    made.setup(["Att göra", "Klart"], done=1, title="Tavla")
    column = made.columns()[0].id
    card = made.add_card(column, "Kort 🙂")
    made.add_check_item(card, "Punkt")
    made.set_label(card, made.add_label("Bråttom", "red"), True)
    return made.diff()


def board_records() -> list[bytes]:
    from tests.one_change import one_change as encode

    return [encode(board())]


def own() -> bytes:
    from app.own.model import OwnObject

    made = OwnObject()
    made.begin(2026)
    series, home, office = "cc" * 16, "01" * 16, "02" * 16
    made.write(home, 1, {"reads": {series: [0, 9, "5a" * 8, [3, 5]]}, "settings": {"theme": [7, "dark"]}})
    made.write(office, 1, {"reads": {series: [1, 4, "a5" * 8]}, "notices": {"aa" * 16: [0, 2, 9]}})
    reminder = [0, 1, NOW, 20_500, "dd" * 16, "ee" * 16, "chat", "ff" * 16]
    made.write(home, 1, {"reminders": {"ab" * 16: reminder}, "notices": {"aa" * 16: [0, 3, NOW, 20_500]}})
    made.write(
        home,
        2,
        {"drafts": {series: [8, {"text": "Hej å 🙂"}, {office: 3}]}, "rooms": {f"{series}/level": [2, "nothing"]}},
    )
    return made.snapshot()


def own_records() -> list[bytes]:
    """Of one object, and all changes of the vectors."""
    from tests.one_change import one_change as encode

    cases = json.loads((Path(__file__).parents[1] / "vectors/own-1-objects.json").read_text(encoding="utf-8"))
    changes = [bytes.fromhex(data) for case in cases for rows in case["objects"].values() for _, data in rows]
    return [encode(own()), *changes]


def updates() -> list[bytes]:
    """Of documents and boards, and of values that no tool of ours makes."""
    odd = (
        "2701016d016b00",
        "2901016d016b01617600",
        "2801016d016b0175027705627974657377023030",
        "2801016d016b017f",
    )
    return [document(), board(), own(), *(bytes.fromhex(f"01010100{value}00") for value in odd)]


def small_records() -> list[bytes]:
    from app.personal import records as p
    from app.rooms import formats as f
    from app.rooms import records as r

    rooms: tuple[r.Record, ...] = (
        r.RoomNamed(title="Ärende", type="case"),
        r.ObjectAnnounced(obj=bytes(16), kind="chat"),
        r.ObjectAnnounced(obj=bytes(16), kind="chat", series=bytes(16), period=202611),
        r.ObjectRetired(obj=bytes(16), on=True),
        r.ChangeLeftOut(obj=bytes(16), author=bytes(16), change=bytes(16)),
        r.PersonInvited(uid=bytes(16), title="Ärende", type="case", text="Hej å 🙂", parent=bytes(16)),
        r.ChildLinked(room=bytes(16), on=True, again=True),
        r.ParentLinked(room=bytes(16)),
        r.ParentLinked(),
    )
    own: tuple[p.Record, ...] = (
        p.DeviceNamed(dev=bytes(16), name="Dator"),
        p.DeviceRuns(dev=bytes(16), system="Debian 13", version="0.1"),
        p.Alive(),
        p.PersonMarked(uid=bytes(16), genesis=bytes(32), on=True, t=NOW),
        p.InvitationAnswered(room=bytes(16), n=7, answer=p.DECLINED),
        p.PersonBlocked(uid=bytes(16), on=True),
    )
    reads = f.DeviceReads(kinds={"chat": 1, "document": 2}, features=["type x"])
    return [*map(r.encode, rooms), *map(p.encode, own), f.encode(reads)]


def addresses() -> list[bytes]:
    return [
        b"kansli://" + b"0" * 32 + b"/" + b"1" * 32 + b"?kind=chat&ref=ab", b"kansli:join?server=a.se:8443&code=ABCD",
        b"kansli://enrol?server=https%3A%2F%2Fa.se&code=ABCD", b"https://[::1]:8443", b"http://127.0.0.1:99999",
        b"a.se",
    ]  # fmt: skip


def pages() -> list[bytes]:
    html = "<h1>Å</h1><ul><li><b>a</b><ol><li>b</ol></ul><blockquote><p style='font-weight:700'>c<br>d</blockquote>"
    odd = b'<!DOCTYPE a><![if b]><?c?><!-- d --><a e=\'f" <p title="g>h">i</i>'
    return [html.encode(), odd, b"a\r\nb\rc", msgspec.msgpack.encode([])]


def files() -> list[bytes]:
    """XML of a document with all that is read of one, Markdown, and an answer of the process that converts."""
    from app.documents.conversion import wire
    from app.richtext.flow import plain_blocks
    from app.richtext.formats import Taken
    from tests.app.documents.made_files import body, paragraph

    inside = paragraph("å 🙂", '<w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr>')
    inside += (
        f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc></w:tr></w:tbl><w:p><w:ins><w:r><w:t>b</w:t></w:r></w:ins></w:p>"
    )
    inside += '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>HYPERLINK "a.se"</w:instrText></w:r></w:p>'
    answer = wire.encode_taken(Taken(blocks=plain_blocks("å"), tables=1))
    return [body(inside).encode(), "# å\n\n1. *b*\n   - ~~c~~\n\n|a|\n|-|\n|d|\n".encode(), answer]


def packages() -> list[bytes]:
    """Archives as documents are, without macros, a flat document and RTF, with fields and links."""
    from tests.app.viewing import test_remote_links as links
    from tests.app.viewing.test_opening import odt, ooxml, package

    parts = [links.code("PAGE"), links.HYPERLINK, links.NESTED_RESULT]
    relations = links.relation("hyperlink", "https://exempel.se")
    word = {
        "[Content_Types].xml": b"<Types/>",
        "word/document.xml": f"<w:document {links.SPACES}>{''.join(parts)}</w:document>".encode(),
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{links.LISTS}">{relations}</Relationships>'.encode(),
    }
    flat = f'<office:document {links.ODF}><text:a xlink:href="https://exempel.se">å</text:a></office:document>'
    rtf = b'{\\rtf1{\\field{\\*\\fldinst HYPERLINK "a.se"}{\\fldrslt \\u229?}}{\\sp{\\sn pibName}{\\sv a}}\\bin2 {{}'
    return [ooxml("word/styles.xml"), odt("content.xml"), package(word, zipfile.ZIP_STORED), flat.encode(), rtf]
