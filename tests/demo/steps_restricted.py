# SPDX-License-Identifier: EUPL-1.2
"""A restricted room inside the case room: some of the case are in it, and the others see nothing of it."""

from collections.abc import Callable

from tests.demo import sample
from tests.demo.doing import call, composer, editor, expect, new_document, open_document, open_room
from tests.demo.driver import Client, named
from tests.demo.sample import HEAD, ROOM
from tests.demo.stage import Stage
from tests.demo.words import said


class Restricted:
    """`a` is the case handler, `b` the head of unit, and the lawyer is in the case, but not in the restricted room."""

    def __init__(self, stage: Stage, a: Client, b: Client, lawyer: Client) -> None:
        self.stage = stage
        self.a, self.b, self.lawyer = a, b, lawyer

    def all(self) -> list[Callable[[], None]]:
        return [self.a_makes_room, self.a_moves_document, self.lawyer_sees_nothing]

    def a_makes_room(self) -> None:
        """the case handler makes a restricted room inside the case, for the head of unit, whose list shows it there"""
        open_room(self.a)
        call(self.a, said("Restricted room …"))
        self.a.enter(said("Name of the room"), sample.RESTRICTED)
        self.a.pick(said("Who is to be in it"), HEAD, "Space")
        self.a.press(named(said("Create room"), "Button"))
        self.a.wait(composer(sample.RESTRICTED))
        for client in (self.a, self.b):
            client.keys("Ctrl+2")
            below = f"{sample.RESTRICTED}, {said('in {room}', room=ROOM)}"
            client.wait_part(below, "ListItem", said("List of rooms"))

    def a_moves_document(self) -> None:
        """a document of the case is moved there, as a copy that the head of unit reads"""
        open_room(self.a)
        new_document(self.a, sample.PROTECTED)
        self.a.type(sample.PROTECTED_TEXT)
        call(self.lawyer, sample.PROTECTED)  # who is in the case has it until now
        self.lawyer.wait(editor(), contains=sample.PROTECTED_TEXT)
        call(self.a, said("Move to restricted room …"))
        self.a.press(named(said("Move"), "Button"))
        self.a.wait_row(named(said("Documents"), "List"), sample.PROTECTED, gone=True)
        self.a.wait(named(said("Move"), "Button"), gone=True)
        open_room(self.b, sample.RESTRICTED)
        open_document(self.b, sample.PROTECTED)
        self.b.wait(editor(), contains=sample.PROTECTED_TEXT)
        self.b.shot(self.stage.out / "restricted.png")

    def lawyer_sees_nothing(self) -> None:
        """the lawyer, who is in the case, does not see the room; the document is in the trash of the case"""
        open_room(self.lawyer)
        self.lawyer.keys("Ctrl+2")
        self.lawyer.wait_row(said("List of rooms"), ROOM)
        rows = [cell for row in self.lawyer.rows(said("List of rooms")) for cell in row]
        expect(not any(sample.RESTRICTED in cell for cell in rows), f"the lawyer sees the room: {rows}")
        open_room(self.b)
        open_room(self.a)
