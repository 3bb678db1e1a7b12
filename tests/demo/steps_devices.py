# SPDX-License-Identifier: EUPL-1.2
"""Several computers of one person: another is let in by a code, gets another name, and is revoked."""

from collections.abc import Callable
from pathlib import Path

from tests.demo import sample
from tests.demo.doing import call, card, column_of, expect, messages, open_room, opened
from tests.demo.driver import Client, named
from tests.demo.sample import HANDLER, LAPTOP, LAPTOP_RENAMED, PASSPHRASE
from tests.demo.stage import Stage, until
from tests.demo.words import said

SETTINGS = "Ctrl+5"


def _is_unread(client: Client) -> bool:
    """Whether the list of rooms says that something in the unit's room is new."""
    before, after = said("{name}, {n} new", name=sample.UNIT_ROOM, n="#").split("#")
    texts = [text for row in client.rows(named(said("List of rooms"))) for text in row]
    return any(text.startswith(before) and after in text for text in texts)


class OwnDevices:
    """`a` is the case handler's first computer, `laptop` the second."""

    def __init__(self, stage: Stage, a: Client) -> None:
        self.stage = stage
        self.a = a
        self.laptop = stage.client("laptop")

    def all(self) -> list[Callable[[], None]]:
        return [
            self.second_device,
            self.read_elsewhere,
            self.own_task,
            self.rename_device,
            self.revoke_device,
            self.empty_device,
        ]

    def second_device(self) -> None:
        """the case handler lets a second computer in by a code; it reads everything at once"""
        a, laptop = self.a, self.laptop
        open_room(a, sample.PERMIT)
        expect(_is_unread(a), "nothing of the unit is unread")
        a.keys(SETTINGS)
        a.press(named(said("Add a device …"), "Button"))
        code = a.text(named(said("Code"), "StaticText"))
        a.shot(self.stage.out / "device-code.png")
        laptop.start()
        laptop.press(named(said("I already have Kansli on another computer"), "Button"))
        laptop.enter(said("Server address"), self.stage.address("laptop"))
        laptop.enter(said("Code or number from the other computer"), code)
        laptop.enter(said("What this computer is to be called"), LAPTOP)
        laptop.press(named(said("Continue"), "Button"))
        laptop.wait_part(HANDLER, within=said("Is this you?"))
        a.wait(named(LAPTOP, "Heading", said("Add a device")))
        a.press(named(said("Yes, add it"), "Button"))
        laptop.enter(named(said("Passphrase"), "EditableText"), PASSPHRASE)
        laptop.enter(said("The passphrase once more"), PASSPHRASE)
        laptop.press(named(said("Begin"), "Button"))
        opened(laptop)
        open_room(laptop, sample.UNIT_ROOM)
        laptop.wait_row(messages(), sample.UNIT_TEXT)

    def read_elsewhere(self) -> None:
        """what the case handler has read on the second computer is read on the first"""
        self.a.keys("Ctrl+2")
        until(lambda: not _is_unread(self.a), "what was read elsewhere is still unread")
        self.a.keys(SETTINGS)
        open_room(self.laptop)
        self.laptop.wait_row(messages(), sample.ANSWERED)

    def own_task(self) -> None:
        """a task that only the case handler sees is written on the first computer, and is on the board of the second"""
        a, laptop = self.a, self.laptop
        a.keys("Ctrl+Shift+T")
        a.enter(named(said("New task of my own"), "EditableText"), sample.OWN_TASK, "Return")
        a.wait_part(sample.OWN_TASK, within=said("My tasks"))
        call(laptop, said("My own board"))
        laptop.wait(card(sample.OWN_TASK))
        laptop.focus(card(sample.OWN_TASK))
        laptop.keys("Ctrl+Right")
        call(a, said("My own board"))
        until(lambda: column_of(a, sample.OWN_TASK) == sample.DOING, "the task did not move on the first computer")
        laptop.shot(self.stage.out / "own-board.png")
        a.keys(SETTINGS)
        open_room(laptop)

    def rename_device(self) -> None:
        """the new computer is in the list with its name, and gets another, which both know"""
        a, laptop = self.a, self.laptop
        until(lambda: len(self._introduced()) == 2, "the list does not say what both computers run")
        a.press(named(said("Rename: {name}", name=LAPTOP), "Button"))
        a.enter(named(said("Name"), "EditableText"), LAPTOP_RENAMED)
        a.press(named(said("Rename"), "Button", said("Rename the device")))
        laptop.keys(SETTINGS)
        own = said("{name} (this device)", name=LAPTOP_RENAMED)
        laptop.wait(named(own, "StaticText"))
        a.shot(self.stage.out / "devices.png")

    def _introduced(self) -> list[str]:
        """What the list says of computers that have said which system and version they run."""
        rows = [name for name in self.a.names("StaticText") if said("added {when}", when="") in name]
        return [name for name in rows if " · Kansli " in name]

    def revoke_device(self) -> None:
        """the second computer is revoked: it says so, and has removed nothing by itself"""
        a, laptop = self.a, self.laptop
        laptop.wait(named(said("Everything sent"), "StaticText", said("Status")))
        a.press(named(said("Revoke: {name}", name=LAPTOP_RENAMED), "Button"))
        a.press(named(said("Revoke"), "Button", said("Revoke {name}?", name=LAPTOP_RENAMED)))
        a.wait(named(said("Revoked: gets no new content."), "StaticText"))
        laptop.wait_part(said("This device has been revoked."))
        laptop.press(named(said("What can I do?"), "Button"))
        laptop.wait(named(said("Everything that you wrote here has been sent."), "StaticText"))
        laptop.shot(self.stage.out / "revoked.png")
        laptop.press(named(said("Not now"), "Button"))
        open_room(laptop)
        laptop.wait_row(messages(), sample.ANSWERED)
        open_room(a)

    def empty_device(self) -> None:
        """asked to, it removes everything from the second computer, which is as on its first day"""
        laptop, profile = self.laptop, self.laptop.folder / "profiles/default"
        expect((profile / "store.db").exists(), "its store is gone before anybody asked")
        laptop.press(named(said("What can I do?"), "Button"))
        laptop.press(named(said("Remove everything"), "Button", said("This device has been revoked")))
        laptop.restart("press", target=named(said("Remove everything"), "Button", said("Remove everything?")))
        laptop.wait(named(said("I already have Kansli on another computer"), "Button"))
        until(lambda: not self._left_in(profile), f"left behind in {profile}")
        laptop.kill()  # there is nothing in it to be closed in order

    def _left_in(self, profile: Path) -> list[Path]:
        return [path for path in profile.rglob("*") if path.suffix == ".slot" or path.name.startswith("store.db")]
