# SPDX-License-Identifier: EUPL-1.2
"""A line is cut, both go on and start again, and afterwards they have the same."""

from tests.demo import sample
from tests.demo.doing import (
    CHAT,
    DOCUMENTS,
    TASKS,
    card,
    caret_after,
    document_text,
    editor,
    expect,
    messages,
    open_document,
    open_room,
    same_board,
    same_document,
    send,
    type_at_once,
    unlock,
)
from tests.demo.driver import Client, side_by_side
from tests.demo.stage import Stage, until
from tests.demo.words import said


class Apart:
    """`a` is the case handler, `b` the head of unit, whose line is cut."""

    def __init__(self, stage: Stage, a: Client, b: Client) -> None:
        self.stage = stage
        self.a = a
        self.b = b

    def cut(self) -> None:
        """the head of unit's line is cut; the window says so"""
        self.stage.wires["b"].cut()
        self.b.wait_part(said("Offline"), within=said("Status"))

    def work_apart(self) -> None:
        """both write in the same paragraph and move the same card; the cut-off one also sends a message"""
        for client in (self.a, self.b):
            client.keys(DOCUMENTS)
            open_document(client, sample.DOCUMENT)
            caret_after(client, sample.REASONS)
        type_at_once(self.a, sample.CUT_A, self.b, sample.CUT_B)
        expect(sample.CUT_B not in document_text(self.a), "the line is not cut")
        for client, key in ((self.a, "Ctrl+Left"), (self.b, "Ctrl+Right")):
            client.keys(TASKS)
            client.focus(card(sample.CARDS[2].title))
            client.keys(key)
        self.b.keys(CHAT)
        send(self.b, sample.OFFLINE)

    def restart(self) -> None:
        """both programs start again from disk, one closed, one killed; nothing written is gone"""
        self.a.stop()
        self.b.kill()
        side_by_side(lambda: self._again(self.a, sample.CUT_A), lambda: self._again(self.b, sample.CUT_B))
        self.b.keys(CHAT)
        self.b.wait_row(messages(), sample.OFFLINE)
        self.b.wait_part(said("Offline"), within=said("Status"))

    def _again(self, client: Client, own: str) -> None:
        unlock(client)
        open_room(client)
        open_document(client, sample.DOCUMENT)
        client.wait(editor(), contains=own)

    def mend(self) -> None:
        """the line is mended; what waited is sent"""
        self.stage.wires["b"].mend()
        self.a.keys(CHAT)
        self.a.wait_row(messages(), sample.OFFLINE)

    def converged_chat(self) -> None:
        """both chats are equal"""
        self.b.keys(CHAT)
        until(lambda: self.a.rows(messages()) == self.b.rows(messages()), "the chats differ")

    def converged_document(self) -> None:
        """both documents are equal, in text and formatting, and have both people's words"""
        for client in (self.a, self.b):
            open_document(client, sample.DOCUMENT)
        same_document(self.a, self.b, (sample.CUT_A, sample.CUT_B))

    def converged_board(self) -> None:
        """both boards are equal, in order, and the card moved by both stands in one column"""
        for client in (self.a, self.b):
            client.keys(TASKS)
        board = same_board(self.a, self.b)
        places = [column for column, names in board.items() for name in names if sample.CARDS[2].title in name]
        expect(len(places) == 1, f"the card stands in {places}")
