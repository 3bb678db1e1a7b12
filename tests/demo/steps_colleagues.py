# SPDX-License-Identifier: EUPL-1.2
"""What colleagues notice of each other: files that are looked at in the window, and whether somebody can be reached."""

from collections.abc import Callable

from tests.demo import sample
from tests.demo.doing import call, messages, open_room, send_file
from tests.demo.driver import Client, named
from tests.demo.stage import Stage
from tests.demo.words import said


class Colleagues:
    """`a` is the case handler, `b` the head of unit."""

    def __init__(self, stage: Stage, a: Client, b: Client) -> None:
        self.stage = stage
        self.a, self.b = a, b

    def files(self) -> list[Callable[[], None]]:
        return [self.b_reads_file, self.a_looks_at_picture]

    def b_reads_file(self) -> None:
        """the head of unit reads the file in the window, without a copy on the disk"""
        self._look(self.b, sample.ARRIVED, sample.FILE_NAME, "viewer-pdf.png")

    def a_looks_at_picture(self) -> None:
        """the head of unit sends a picture, and the case handler looks at it"""
        path = self.stage.work / sample.PICTURE_NAME
        path.write_bytes(sample.picture())
        send_file(self.b, path, sample.SHOWN)
        path.unlink()
        self._look(self.a, sample.SHOWN, sample.PICTURE_NAME, "viewer-picture.png")

    def _look(self, client: Client, message: str, name: str, picture: str) -> None:
        client.wait_row(messages(), message)
        client.pick(messages(), message)
        client.menu(said("Show {name}", name=name))
        client.wait(named(name, within=said("Viewer"), nth=0))
        client.wait(named(said("Rotate right"), "Button", said("Viewer")), enabled=True)
        client.shot(self.stage.out / picture)
        client.keys("Escape")
        client.wait(messages(), focused=True)

    def a_is_reminded(self) -> None:
        """the case handler is reminded of a message: its time comes, Home says so, and it is put off"""
        open_room(self.a)
        self._ask_time(lambda: call(self.a, said("Remind me …")))
        self.a.wait_part(said("You are reminded {when}", when=""))
        self.a.pass_time(2 * 24 * 60)
        call(self.a, said("Go to Home"))
        self.a.wait_part(said("Reminder: {text}", text=""))
        self.a.shot(self.stage.out / "reminder.png")
        self.a.pass_time(0)
        later = said("Remind me later: {title}", title=said("Reminder: {text}", text=""))
        self._ask_time(lambda: self.a.press(named(later, "Button", part=True, nth=0)))
        self.a.wait_part(said("Change the time: {title}", title=""))
        open_room(self.a)

    def _ask_time(self, ask: Callable[[], None]) -> None:
        """Tomorrow, which the dialog begins with."""
        ask()
        self.a.menu(said("At a time …"))
        self.a.press(named(said("Remind me"), "Button"))

    def b_is_busy(self) -> None:
        """the head of unit does not want to be disturbed, which the case handler sees, and is available again"""
        open_room(self.a)
        call(self.b, said("Status: {state}", state=said("Do not disturb")))
        self.a.wait_part(said("Do not disturb"), "Button", said("In the room"))
        call(self.b, said("Status: {state}", state=said("Available")))
