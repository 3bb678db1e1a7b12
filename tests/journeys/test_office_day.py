# SPDX-License-Identifier: EUPL-1.2
"""A day at the office, without windows: enrol, share a room, write together, restart, search, send a file, leave."""

from pathlib import Path

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState
from app.core.ids import ObjId
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import WrongPassphrase
from app.objects.files import Pasted
from app.rooms.records import ObjectAnnounced, decode
from app.tasks.tool import TOOL as TASKS
from app.unlocking import KeyChange
from sync.errors import Refused, Reject, WrongAgency
from sync.trust.person.agency import SignInCode
from tests.app.chat.mentions import mentions
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import until

HELLO = "Hej på er, åäö 😀"


async def test_what_is_put_away_is_with_everybody_and_what_is_written_there_is_told(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    obj = a.session.service(DOCUMENTS).create(room, "Utkast å 🙂")
    board = a.session.service(TASKS).board(room)
    card = board.add_card(board.columns()[0].id, "Maska", description="Sidan 3.")
    await until(
        lambda: bool(b.session.service(DOCUMENTS).list(room)) and len(b.session.service(TASKS).tasks(room)) == 1
    )
    theirs, their_board = b.session.service(DOCUMENTS).open(obj), b.session.service(TASKS).board(room)
    a.session.service(DOCUMENTS).delete(obj)
    board.delete_card(card)
    await until(
        lambda: (
            len(b.session.service(DOCUMENTS).trash.put_away(room))
            == len(b.session.service(TASKS).trash.put_away(room))
            == 1
        )
    )
    assert b.session.service(DOCUMENTS).list(room) == []
    assert b.session.service(TASKS).tasks(room) == []
    away = (b.session.service(DOCUMENTS).trash.put_away(room)[0], b.session.service(TASKS).trash.put_away(room)[0])
    assert [item.by for item in away] == [a.session.people.me.uid] * 2
    assert a.session.trash.written_after() == []
    theirs.splice(0, 0, "Ännu ett skäl.")
    their_board.edit_card(card, description="Sidan 3 och 5.")
    await until(lambda: len(a.session.trash.written_after()) == 2)
    assert {each.by for each in a.session.trash.written_after()} == {(b.session.people.me.uid,)}
    await a.restart()
    assert len(a.session.trash.written_after()) == 2
    a.session.service(DOCUMENTS).trash.take_back(away[0])
    a.session.service(TASKS).trash.take_back(away[1])
    await until(
        lambda: bool(b.session.service(DOCUMENTS).list(room)) and len(b.session.service(TASKS).tasks(room)) == 1
    )
    assert a.session.trash.written_after() == []
    kept = a.session.service(TASKS).board(room).card(card)
    assert kept is not None
    assert kept.description == "Sidan 3 och 5."


def _stored_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_where_one_was_is_kept_for_the_next_process_in_the_encrypted_store_alone(
    o: Offices, tmp_path: Path
) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    assert a.session.kept_place() == ""
    a.session.keep_place(f"rummet å {room.hex()}")
    await a.close()
    stored = _stored_below(tmp_path)
    assert stored
    for form in (room.hex().encode(), "rummet å".encode()):
        assert form not in stored
    await a.begin()
    assert a.session.kept_place() == f"rummet å {room.hex()}"
    a.session.keep_place("")
    assert a.session.kept_place() == ""


async def test_two_descriptions_written_without_a_network_are_one(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    board = a.session.service(TASKS).board(room)
    card = board.add_card(board.columns()[0].id, "Maska", description="Sidan 3 å 🙂.")
    await until(lambda: len(b.session.service(TASKS).tasks(room)) == 1)
    await o.w.stop_server()
    await until(lambda: all(desk.session.status.state is LinkState.OFFLINE for desk in (a, b)))
    board.edit_card(card, description="Sidan 3 å 🙂. Mitt.")
    b.session.service(TASKS).board(room).edit_card(card, description="Först ditt. Sidan 3 å 🙂.")
    del board
    await o.w.start_server()

    def read(desk: Desk) -> str:
        found = desk.session.service(TASKS).board(room).card(card)
        return found.description if found is not None else ""

    await until(lambda: read(a) == read(b) == "Först ditt. Sidan 3 å 🙂. Mitt.")


async def test_two_desks_share_chat_document_board_and_search(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    a.session.service(CHAT).send(room, f"{HELLO} @Registrator")
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == 1)
    assert [m.text for m in mentions(b.session.store, b.session.service(CHAT))] == [f"{HELLO} @Registrator"]
    assert b.session.rooms.rooms()[0].unread == 1

    obj = a.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    mine = a.session.service(DOCUMENTS).open(obj)
    mine.splice(0, 0, "Sekretess enligt 5 §")
    await until(lambda: bool(b.session.service(DOCUMENTS).list(room)))
    theirs = b.session.service(DOCUMENTS).open(obj)
    await until(lambda: theirs.plain_text().strip() == "Sekretess enligt 5 §")
    theirs.splice(0, 0, "Å ")
    mine.splice(mine.length_utf16 - 1, 0, " slut")
    await until(lambda: mine.plain_text() == theirs.plain_text() and "slut" in theirs.plain_text())

    board = a.session.service(TASKS).board(room)
    card = board.add_card(board.columns()[0].id, "Maska aktbilaga 14")
    board.assign(card, b.session.people.me.uid)
    await until(lambda: [t.title for t in b.session.service(TASKS).my_tasks()] == ["Maska aktbilaga 14"])

    b.session.service(DOCUMENTS).index_now()
    assert [h.obj for h in await b.session.search.find("sekretess")] == [obj]
    assert {h.kind for h in await b.session.search.find("aktbilaga")} == {"board"}

    await b.restart()
    assert b.texts(room) == [f"{HELLO} @Registrator"]
    assert b.session.service(DOCUMENTS).open(obj).plain_text() == mine.plain_text()


async def test_a_title_is_told_by_its_object_and_not_by_the_room(o: Offices) -> None:
    """So the title dies with the object's share; what the room itself says names only ids and kinds."""
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    obj = a.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    a.session.service(DOCUMENTS).rename(obj, "Beslut om vitesföreläggande")
    changes = a.session.store.changes
    told = [decode(c.data) for c in changes.of(ObjId(room))]
    named = [t for t in told if isinstance(t, ObjectAnnounced) and t.obj == obj]
    assert named == [ObjectAnnounced(obj=obj, kind="document")]
    for title in (b"Utkast till beslut", b"Beslut om vitesf"):
        assert not any(title in c.data for c in changes.of(ObjId(room)))
        assert any(title in c.data for c in changes.of(obj))


async def test_another_passphrase_between_two_sessions_keeps_everything(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    room = await o.room(a)
    a.session.service(CHAT).send(room, HELLO)
    await a.session.close()
    a.session = await a.office.rekey(KeyChange(current=PASSPHRASE, new="fyra helt nya ord å"))
    await a.online()
    assert a.texts(room) == [HELLO]
    with pytest.raises(WrongPassphrase):
        await a.office.unlock(PASSPHRASE)


async def test_a_newcomer_from_now_gets_titles_document_and_board_but_no_chat(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Enhetschef")
    room = await o.room(a)
    a.session.service(CHAT).send(room, HELLO)
    obj = a.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    document = a.session.service(DOCUMENTS).open(obj)
    document.splice(0, 0, "HEMLIGT kvar")
    document.splice(0, 8, "")
    a.session.service(TASKS).board(room).add_card(
        a.session.service(TASKS).board(room).columns()[0].id, "Begär yttrande"
    )
    await o.add(a, room, b, history=False)
    await until(lambda: [d.title for d in b.session.service(DOCUMENTS).list(room)] == ["Utkast till beslut"])
    await until(lambda: b.session.service(DOCUMENTS).open(obj).plain_text().strip() == "kvar")
    await until(lambda: [t.title for t in b.session.service(TASKS).tasks(room)] == ["Begär yttrande"])
    assert b.texts(room) == []
    assert not any(b"HEMLIGT" in c.data for c in b.session.store.changes.of(obj))
    b.session.service(DOCUMENTS).open(obj).splice(0, 0, "och ")
    await until(lambda: document.plain_text().strip() == "och kvar")


async def test_a_file_travels_sealed_and_comes_back_whole(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    content = bytes(range(256)) * 20_000
    path = tmp_path / "Komplettering åäö.pdf"
    path.write_bytes(content)
    pasted = Pasted("Bild 1.png", content[::-1])
    await a.session.service(CHAT).send_file(room, [path, pasted], "Kompletteringen")
    await until(lambda: b.session.service(CHAT).channel(room) is not None and len(b.texts(room)) == 1)
    message = b.session.service(CHAT).timeline(room).message(0)
    (tmp_path / "hem").mkdir()
    target = await b.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "hem")
    assert target.read_bytes() == content
    assert target.name == "Komplettering åäö.pdf"
    assert (await b.session.service(CHAT).fetch_file(room, message, 1, tmp_path / "hem")).read_bytes() == pasted.data
    for file in o.w.data.rglob("*"):
        assert not file.is_file() or content[:64] not in file.read_bytes()


async def test_a_mistyped_an_unknown_and_another_agencys_code_are_told_apart(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    code = await o.w.invite("Registrator")
    found = await a.office.look_up(a.server, code)
    assert found.name == "Registrator"
    with pytest.raises(Reject) as mistyped:
        await a.office.look_up(a.server, code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert mistyped.value.code == "code"
    other = SignInCode(bytes(16), SignInCode.parse(code).agency).format()
    with pytest.raises(Refused) as unknown:
        await a.office.look_up(a.server, other)
    assert unknown.value.code == "code-unknown"
    with pytest.raises(WrongAgency):
        await a.office.look_up(a.server, SignInCode(bytes(16), bytes(16)).format())


async def test_the_removed_one_sees_the_room_as_left(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    await a.session.rooms.remove(room, b.session.people.me.uid)
    await until(lambda: b.session.rooms.room(room).left)
    assert b.session.status.state is LinkState.ONLINE
    assert [r.left for r in b.session.rooms.rooms()] == [True]
