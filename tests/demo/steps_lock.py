# SPDX-License-Identifier: EUPL-1.2
"""The curtain: a locked Kansli shows nothing and still receives."""

from collections.abc import Callable

from tests.demo import sample
from tests.demo.doing import CHAT, expect, messages, open_room, send
from tests.demo.driver import Client, named
from tests.demo.words import said


class Lock:
    """`a` locks; `b` writes meanwhile."""

    def __init__(self, a: Client, b: Client) -> None:
        self.a, self.b = a, b

    def all(self) -> list[Callable[[], None]]:
        return [self.a_falls, self.b_writes, self.a_lifts]

    def a_falls(self) -> None:
        """the case handler locks: the curtain covers the window, and nothing of the room is there for a reader"""
        open_room(self.a)
        self.a.keys("Ctrl+Shift+L")
        self.a.wait(_field(), focused=True)
        expect(not self.a.exists(messages()), "the chat can be read")
        self.a.keys("Ctrl+K")
        self.a.wait(_field(), focused=True)

    def b_writes(self) -> None:
        """the head of unit writes; the locked program receives it and shows nothing"""
        open_room(self.b)
        send(self.b, sample.COVERED)
        self.b.wait_row(messages(), sample.COVERED)
        expect(not self.a.exists(messages()), "the chat can be read")
        self.a.wait(_field())

    def a_lifts(self) -> None:
        """the passphrase lifts the curtain, and the message is there"""
        self.a.enter(_field(), sample.PASSPHRASE, "Return")
        self.a.wait_row(messages(), sample.COVERED)
        self.a.keys(CHAT)


def _field() -> dict[str, object]:
    return named(said("Passphrase"), "EditableText")
