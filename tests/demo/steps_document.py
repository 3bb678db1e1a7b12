# SPDX-License-Identifier: EUPL-1.2
"""A document in which two people write, one after the other and at the same time."""

from tests.demo import sample
from tests.demo.doing import (
    DOCUMENTS,
    caret_after,
    document_text,
    editor,
    expect,
    new_document,
    open_document,
    same_document,
    type_at_once,
    write_block,
)
from tests.demo.driver import Client
from tests.demo.sample import HANDLER, HEAD
from tests.demo.stage import until


class Document:
    """`a` is the case handler, `b` the head of unit."""

    def __init__(self, a: Client, b: Client) -> None:
        self.a = a
        self.b = b

    def a_writes_document(self) -> None:
        """the case handler writes a document with headings, a list and emphasis"""
        a = self.a
        new_document(a, sample.DOCUMENT)
        write_block(a, "Ctrl+Alt+1", "Beslut")
        a.keys("Ctrl+Alt+0 Ctrl+B")
        a.type("Saken:")
        a.keys("Ctrl+B")
        a.type(sample.SUBJECT.removeprefix("Saken:") + "\n")
        write_block(a, "Ctrl+Alt+2", "1 Beslut")
        write_block(a, "Ctrl+Alt+0", sample.ORDER)
        a.keys("Ctrl+Shift+8")
        for item in sample.LIST_ITEMS:
            a.type(f"{item}\n")
        a.keys("Return")
        write_block(a, "Ctrl+Alt+2", "2 Bakgrund")
        write_block(a, "Ctrl+Alt+0", sample.BACKGROUND)
        write_block(a, "Ctrl+Alt+2", "3 Skälen för beslutet")
        a.type(sample.REASONS)

    def b_opens_document(self) -> None:
        """the head of unit opens it, and each sees the other there"""
        open_document(self.b, sample.DOCUMENT)
        same_document(self.a, self.b, (sample.BACKGROUND, sample.REASONS))
        self.a.wait_part(f"{HEAD} · ", "StaticText")
        self.b.wait_part(f"{HANDLER} · ", "StaticText")

    def write_at_once(self) -> None:
        """both write in it at the same time, one paragraph each"""
        caret_after(self.a, sample.BACKGROUND)
        caret_after(self.b, sample.REASONS)
        type_at_once(self.a, sample.TOGETHER_A, self.b, sample.TOGETHER_B)
        same_document(self.a, self.b, (sample.TOGETHER_A, sample.TOGETHER_B))

    def format_and_undo(self) -> None:
        """one makes a word bold, the other undoes only what is their own"""
        caret_after(self.b, sample.TOGETHER_B)
        self.b.type(" Detta stryks.")
        self.a.wait(editor(), contains="Detta stryks.")
        caret_after(self.a, "Enligt 5 §")
        self.a.keys("Shift+Left Shift+Left Shift+Left Ctrl+B")
        until(lambda: ["5 §", ["bold"]] in [run for block in self.b.document(editor()) for run in block["runs"]],
              "the bold words have not arrived")  # fmt: skip
        self.b.keys("Ctrl+Z")
        self.a.wait(editor(), text=document_text(self.b))
        until(lambda: "Detta stryks." not in document_text(self.a), "undo did not arrive")
        same_document(self.a, self.b, (sample.TOGETHER_A, sample.TOGETHER_B))
        expect(sample.REASONS in document_text(self.a), "undo took a colleague's words")

    def write_at_one_place(self) -> None:
        """both write at one place of the document, one after the other and at the same time: every letter is at both"""
        for client in (self.a, self.b):
            client.keys(DOCUMENTS)
            open_document(client, sample.DOCUMENT)
            caret_after(client, sample.ORDER)
        self.b.type(sample.PLACE_FIRST)
        self.a.wait(editor(), contains=sample.PLACE_FIRST)
        self.a.wait(editor(), selected="")
        type_at_once(self.a, sample.PLACE_A, self.b, sample.PLACE_B)
        same_document(self.a, self.b, (sample.PLACE_A, sample.PLACE_FIRST + sample.PLACE_B))
