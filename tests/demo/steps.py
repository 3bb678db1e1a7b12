# SPDX-License-Identifier: EUPL-1.2
"""The main job, step by step, in order. Each step is a method; its docstring is what the demo prints."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from websockets.asyncio.client import connect

from tests.demo import sample
from tests.demo.beside import join
from tests.demo.canary import search, windows_of
from tests.demo.doing import (
    CHAT,
    DOCUMENTS,
    TASKS,
    accept_invitation,
    add_member,
    call,
    composer,
    editor,
    enrol,
    expect,
    mention,
    messages,
    new_room,
    open_document,
    open_room,
    opened,
    person_menu,
    same_board,
    same_document,
    send,
    send_file,
)
from tests.demo.driver import Client, named, side_by_side
from tests.demo.recovering import come_back, make_sheet, revoke_devices
from tests.demo.sample import HANDLER, HEAD, LAWYER, REGISTRAR, ROOM
from tests.demo.stage import Stage, until
from tests.demo.steps_apart import Apart
from tests.demo.steps_board import Board
from tests.demo.steps_colleagues import Colleagues
from tests.demo.steps_devices import OwnDevices
from tests.demo.steps_document import Document
from tests.demo.steps_lock import Lock
from tests.demo.steps_restricted import Restricted
from tests.demo.steps_trust import Trust
from tests.demo.words import said

LABELS = ("a", "b", "registrar", "lawyer", "laptop", "again")
PLANTED = "Kanariefågel: den här texten ligger öppet med flit"


class Steps:
    """`a` is the case handler, `b` the head of unit; the registrar and the lawyer come and go."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.a: Client = stage.client("a")
        self.b: Client = stage.client("b")
        self.registrar: Client = stage.client("registrar")
        self.lawyer: Client = stage.client("lawyer")
        self.devices = OwnDevices(stage, self.a)
        self.trust = Trust(stage, self.a, self.b, self.lawyer, self.devices.laptop)
        self.document = Document(self.a, self.b)
        self.board = Board(stage, self.a, self.b, self.lawyer)
        self.lock = Lock(self.a, self.b)
        self.apart = Apart(stage, self.a, self.b)
        self.colleagues = Colleagues(stage, self.a, self.b)
        self.restricted = Restricted(stage, self.a, self.b, self.lawyer)
        self.again: Client = stage.client("again")
        self.sheet = ""
        self._enrols: Future[None] | None = None
        self._returns: Future[None] | None = None
        self.files = stage.work / "files"
        self.files.mkdir()

    def all(self) -> list[Callable[[], None]]:
        return [
            self.found,
            self.enrol_all,
            self.create_room,
            self.add_members,
            self.b_sees_room,
            self.furnish,
            self.registrar_sends_file,
            self.registrar_makes_sheet,
            self.a_saves_file,
            *self.colleagues.files(),
            self.a_mentions,
            self.b_answers,
            self.a_edits,
            self.document.a_writes_document,
            self.document.b_opens_document,
            self.document.write_at_once,
            self.document.format_and_undo,
            self.board.a_makes_cards,
            self.board.b_is_given_cards,
            self.board.b_sees_cards,
            self.board.a_links_card,
            self.board.b_moves_by_keys,
            self.board.a_moves_by_mouse,
            self.pictures,
            self.document.write_at_one_place,
            self.apart.cut,
            self.apart.work_apart,
            self.apart.restart,
            self.apart.mend,
            self.apart.converged_chat,
            self.apart.converged_document,
            self.apart.converged_board,
            self.third_client,
            self.third_is_equal,
            self.registrar_returns,
            self.search,
            *self.lock.all(),
            self.a_changes_passphrase,
            self.registrar_is_back,
            *self.trust.compare(),
            self.colleagues.b_is_busy,
            *self.restricted.all(),
            self.colleagues.a_is_reminded,
            *self.devices.all(),
            *self.trust.part(),
            self.stop,
            self.planted,
            self.canary,
        ]

    # -- who and where ----------------------------------------------------------------------------------------------

    def found(self) -> None:
        """an agency is founded, its server starts"""
        for client in (self.a, self.b, self.registrar):
            client.start()
        self.stage.found_agency()
        self.stage.serve()
        self.stage.invite(HANDLER, HEAD, REGISTRAR)

    def _enrol(self, client: Client, name: str) -> None:
        enrol(client, self.stage.address(client.label), self.stage.code(name), name)

    def enrol_all(self) -> None:
        """the case handler, the head of unit and the registrar enrol at the same time, each with an activation code"""
        side_by_side(
            lambda: self._enrol(self.a, HANDLER),
            lambda: self._enrol(self.b, HEAD),
            lambda: self._enrol(self.registrar, REGISTRAR),
        )

    def create_room(self) -> None:
        """the case handler creates a case room"""
        new_room(self.a, ROOM)

    def furnish(self) -> None:
        """they have other rooms too: two more cases, a group of each, a conversation"""
        a, b = self.a, self.b
        side_by_side(self._a_furnishes, self._b_furnishes)
        person_menu(a, HEAD, said("Write to {name}", name=HEAD))
        a.wait(composer(HEAD))
        open_room(b, sample.UNIT_ROOM)
        send(b, sample.UNIT_TEXT, sample.UNIT_ROOM)
        open_room(b, HANDLER)
        send(b, sample.DIRECT_TEXT, HANDLER)
        a.wait_row(messages(), sample.DIRECT_TEXT)
        side_by_side(lambda: open_room(a), lambda: open_room(b))

    def _a_furnishes(self) -> None:
        for room, text in ((sample.PERMIT, sample.PERMIT_TEXT), (sample.COMPLAINT, sample.COMPLAINT_TEXT)):
            new_room(self.a, room)
            send(self.a, text, room)
        new_room(self.a, sample.UNIT_ROOM, group=True)
        add_member(self.a, HEAD)

    def _b_furnishes(self) -> None:
        new_room(self.b, sample.LEGAL, group=True)
        add_member(self.b, HANDLER)
        send(self.b, sample.LEGAL_TEXT, sample.LEGAL)

    def add_members(self) -> None:
        """and adds two colleagues from the directory"""
        add_member(self.a, HEAD)
        add_member(self.a, REGISTRAR)

    def b_sees_room(self) -> None:
        """the head of unit is told, and opens the room"""
        self.b.keys("Ctrl+Shift+N")
        self.b.wait_row(said("All notices"), said("You were added to {room}", room=ROOM))
        open_room(self.b)
        open_room(self.registrar)

    # -- chat -------------------------------------------------------------------------------------------------------

    def registrar_sends_file(self) -> None:
        """the registrar sends a message with a file"""
        path = self.files / sample.FILE_NAME
        path.write_bytes(sample.pdf())
        send_file(self.registrar, path, sample.ARRIVED)
        for client in (self.a, self.b):
            client.wait_row(messages(), sample.ARRIVED)

    def registrar_makes_sheet(self) -> None:
        """the registrar makes a recovery sheet, and types a part of it back"""
        self.sheet = make_sheet(self.registrar)

    def a_saves_file(self) -> None:
        """the case handler saves it: the same bytes"""
        target = self.files / "mottagen.pdf"
        self.a.pick(messages(), sample.ARRIVED, "")
        self.a.keys("Menu")
        self.a.menu(said("Save {name} …", name=sample.FILE_NAME))
        self.a.choose_file(target)
        until(target.exists, "the file is not saved")
        want = hashlib.sha256(sample.pdf()).digest()
        until(lambda: hashlib.sha256(target.read_bytes()).digest() == want, "the saved file differs")
        self.a.keys("Escape")
        self.registrar.stop()

    def a_mentions(self) -> None:
        """the case handler mentions the head of unit, whose Home says so"""
        self.b.keys("Ctrl+1")
        mention(self.a, sample.ASKED, HEAD)
        self.b.wait_part(said("You were mentioned in {room}", room=ROOM), within=said("Home"))

    def b_answers(self) -> None:
        """the head of unit answers from Home, which then asks for nothing, and the case handler reads it"""
        asked = said("You were mentioned in {room}", room=ROOM)
        self.b.focus(named(f"{asked}, ", "Button", said("Home"), part=True, nth=0))
        self.b.keys("R")
        self.b.wait(composer(), focused=True)
        self.b.type(sample.ANSWERED)
        self.b.keys("Return")
        self.a.wait_row(messages(), sample.ANSWERED)
        self.b.keys("Ctrl+1")
        self.b.wait_part(f"{asked}, ", "Button", said("Home"), gone=True)
        open_room(self.b)

    def a_edits(self) -> None:
        """the case handler writes, and edits what was written; both see the new words and that they are new"""
        send(self.a, sample.CHANGED_FIRST)
        self.b.wait_row(messages(), sample.CHANGED_FIRST)
        self.a.focus(composer())
        self.a.keys("Up")
        self.a.wait(composer(), text=sample.CHANGED_FIRST)
        self.a.enter(composer(), sample.CHANGED, "Return")
        for client in (self.a, self.b):
            row = client.wait_row(messages(), sample.CHANGED)
            expect(said("edited") in row, f"not shown as edited: {row}")
            client.wait_row(messages(), sample.CHANGED_FIRST, gone=True)

    # -- on a third desktop, and on a new one -----------------------------------------------------------------------

    def third_client(self) -> None:
        """a third desktop, of another unit, has enrolled meanwhile, is invited with the history, and accepts"""
        assert self._enrols is not None
        self._enrols.result()
        open_room(self.a)
        add_member(self.a, LAWYER)
        accept_invitation(self.lawyer)

    def third_is_equal(self) -> None:
        """built only from the server, it has the same chat, document and board"""
        self.again.start()
        self.lawyer.wait_row(messages(), sample.OFFLINE)
        self.a.keys(CHAT)
        until(lambda: self.a.rows(messages()) == self.lawyer.rows(messages()), "the chats differ")
        for client in (self.a, self.lawyer):
            open_document(client, sample.DOCUMENT)
        same_document(self.a, self.lawyer, (sample.CUT_A, sample.CUT_B))
        for client in (self.a, self.lawyer):
            client.keys(TASKS)
        same_board(self.a, self.lawyer)

    def registrar_returns(self) -> None:
        """the registrar has lost the computer: it is revoked, and a new code and the sheet are used on another"""
        revoke_devices(self.stage, REGISTRAR)
        address, code = self.stage.address("again"), self.stage.invite_back(REGISTRAR)
        self._returns = self.stage.beside(lambda: come_back(self.again, address, code, self.sheet, REGISTRAR))

    def registrar_is_back(self) -> None:
        """code and sheet have brought the registrar everything back"""
        assert self._returns is not None
        self._returns.result()
        self.again.wait_part(ROOM, within=said("Home"))
        open_room(self.again)
        self.again.wait_row(messages(), sample.OFFLINE)
        self.a.keys(CHAT)
        until(lambda: self.a.rows(messages()) == self.again.rows(messages()), "the chats differ")
        self.again.stop()

    def search(self) -> None:
        """words from chat, document and board are found by search"""
        for words, hit in (("diarieförd", ROOM), ("inkom anmälan", sample.DOCUMENT), ("maska aktbilaga", sample.MASK)):
            self.b.keys("Ctrl+4")
            self.b.enter(said("Search in everything you can read"), words)
            self.b.wait_row(said("Search results"), hit)

    def a_changes_passphrase(self) -> None:
        """the case handler changes the passphrase: only the new one opens, and everything is there"""
        a = self.a
        a.keys("Ctrl+5")
        a.press(named(said("Change the passphrase"), "Button"))
        a.enter(named(said("Passphrase now"), "EditableText"), sample.PASSPHRASE)
        a.enter(named(said("New passphrase"), "EditableText"), sample.NEXT_PASSPHRASE)
        a.enter(named(said("The passphrase once more"), "EditableText"), sample.NEXT_PASSPHRASE)
        a.press(named(said("Change"), "Button"))
        a.wait_part(said("The ways of unlocking are changed"))
        a.stop()
        a.start()
        a.enter(named(said("Passphrase"), "EditableText"), sample.PASSPHRASE, "Return")
        a.wait_part("wrong-passphrase")
        a.enter(named(said("Passphrase"), "EditableText"), sample.NEXT_PASSPHRASE, "Return")
        opened(a)
        open_room(a)
        a.wait_row(messages(), sample.OFFLINE)

    # -- pictures ---------------------------------------------------------------------------------------------------

    def pictures(self) -> None:
        """pictures of the windows in both themes"""
        self._enrols = self.stage.beside(lambda: self._enrol(self.lawyer, LAWYER))
        a, b = self.a, self.b
        a.keys("Ctrl+1")
        a.keys("Escape")  # what the last steps told is not part of the pictures
        b.keys(CHAT)
        mention(b, sample.REMINDER, HANDLER)
        a.wait_part(said("You were mentioned in {room}", room=ROOM), within=said("Home"))
        b.keys(DOCUMENTS)
        places = (("home", "Ctrl+1", 5), ("chat", CHAT, 1), ("document", DOCUMENTS, 3), ("board", TASKS, 4))
        for theme in ("light", "dark"):
            call(a, said(f"Theme: {theme}"))
            for name, key, number in places:
                a.keys(key if name == "home" else f"Ctrl+2 {key}")
                if name in ("chat", "document"):
                    a.focus(composer() if name == "chat" else editor())
                if name == "document":  # the colleague's answer to that one has opened it
                    a.wait_part(f"{HEAD} · ")
                path = self.stage.out / f"{name}-{theme}.png"
                a.shot(path)
                target = {("chat", "dark"): 2}.get((name, theme), number if theme == "light" else 0)
                if target:
                    join(path, target, self.stage.out / f"beside-{target}.png")
        call(a, said("Theme: light"))
        open_room(a)
        for client in (a, b):
            client.keys(TASKS)

    # -- end --------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """everybody stops in order; the server counts what it holds"""
        self.a.stop()
        self.stage.stop_server()
        self.stage.set_right()
        counts = self.stage.status()
        expect(sum(counts.values()) > 0, f"the server holds nothing: {counts}")

    def planted(self) -> None:
        """a text planted on the server's disk and one sent over the wire are found: the search works"""
        self.stage.serve()
        asyncio.run(self._send_plain())
        self.stage.stop_server()
        plant = self.stage.data / "planted"
        plant.write_bytes(PLANTED.encode("utf-16-le"))
        places = {found.place.name for found in search([PLANTED], self.stage.searched())}
        plant.unlink()
        expect({"planted", "wire-lawyer.bin"} <= places, f"found only in {places}")

    async def _send_plain(self) -> None:
        """What a client that seals nothing would send; the server refuses it, the wire has recorded it."""
        context = ssl.create_default_context(cafile=self.stage.data / "ca.pem")
        port = self.stage.wires["lawyer"].port
        async with connect(f"wss://localhost:{port}/v1/sync", ssl=context, compression=None, proxy=None) as socket:
            await socket.send(PLANTED.encode())
            await asyncio.wait_for(socket.wait_closed(), 10)

    def canary(self) -> None:
        """nothing that was written is found on the server's disk, in its log, on the wires or in the profiles"""
        texts = [part for text in sample.TEXTS for part in windows_of(text)]
        found = search(texts, self.stage.searched())
        expect(not found, "; ".join(str(find) for find in found[:10]))
        sizes = [path.stat().st_size for path in self._files()]
        expect(sum(sizes) > 500_000, f"only {sum(sizes)} bytes were there to search")

    def _files(self) -> list[Path]:
        return [file for place in self.stage.searched() for file in ([place] if place.is_file() else place.rglob("*"))]
