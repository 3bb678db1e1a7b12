# SPDX-License-Identifier: EUPL-1.2
"""Whom to trust: people compare numbers, a seal explains itself, a member is removed, and the server tells a lie."""

import subprocess
import sys
from collections.abc import Callable

from tests.demo import sample
from tests.demo.doing import CHAT, expect, messages, open_room, person_menu, send
from tests.demo.driver import Client, Failed, named, side_by_side
from tests.demo.sample import HANDLER, HEAD, LAWYER
from tests.demo.stage import Stage
from tests.demo.words import said
from tests.patience import PATIENCE_S


class Trust:
    """`a` is the case handler, `b` the head of unit, `lawyer` the one who is removed; `laptop` is wanted next."""

    def __init__(self, stage: Stage, a: Client, b: Client, lawyer: Client, laptop: Client) -> None:
        self.stage = stage
        self.a, self.b, self.lawyer, self.laptop = a, b, lawyer, laptop
        self.prised: dict[str, dict[str, int]] = {}

    def compare(self) -> list[Callable[[], None]]:
        return [self.safety_number, self.seal_explains]

    def part(self) -> list[Callable[[], None]]:
        return [self.remove, self.write_after, self.keys_do_not_open, self.keys_of_member_open, self.server_lies]

    def safety_number(self) -> None:
        """two people compare their safety number: the same in both windows"""
        self.laptop.start()
        numbers = []
        for client, other in ((self.a, HEAD), (self.b, HANDLER)):
            open_room(client)
            person_menu(client, other, said("Verify …"))
            numbers.append(client.text(said("Safety number")))
            client.press(named(said("The numbers are the same"), "Button"))
            client.wait_part(said("Verified in person"), "Button", said("In the room"))
        expect(numbers[0] == numbers[1] and len([c for c in numbers[0] if c.isdigit()]) == 60, f"numbers {numbers}")

    def seal_explains(self) -> None:
        """pressed, the room's seal says who can decrypt the room and how surely, and what the server sees"""
        readers = said("Who can decrypt the room")
        self.a.press(named(said("Seal: {word}", word=said("Sealed")), "Button"))
        self.a.wait_row(readers, LAWYER)
        shown = {row[0]: row[1] for row in self.a.rows(readers)}
        for who, level in ((HEAD, "in person"), (LAWYER, "by the agency")):
            expect(said(level) in shown[who], f"not shown as verified {level}: {shown[who]}")
        self.a.wait_part(said("What the server sees"), "Heading")
        self.a.keys("Escape")

    def remove(self) -> None:
        """the third member is removed, and told"""
        person_menu(self.a, LAWYER, said("Remove from the room …"))
        self.a.press(named(said("Remove"), "Button"))
        self.a.wait(named(f"{LAWYER}, ", "Button", said("In the room"), part=True), gone=True)
        self.a.wait(named(said("Remove"), "Button"), gone=True)
        self.lawyer.wait_row(said("List of rooms"), said("You are no longer a member"))

    def write_after(self) -> None:
        """what is written afterwards reaches those who remain, and not the removed one's window"""
        self.stage.keep_disk()
        self.a.keys(CHAT)
        send(self.a, sample.AFTER)
        self.b.keys(CHAT)
        self.b.wait_row(messages(), sample.AFTER)
        expect(not [row for row in self._rows(self.lawyer) if sample.AFTER in row[0]], "the removed member reads on")
        self.lawyer.stop()

    def _rows(self, client: Client) -> list[list[str]]:
        return client.rows(messages()) if client.exists(messages()) else []

    def _prise(self, label: str) -> None:
        """Gives the envelopes and seals on the server's disk to the keys in a client's profile."""
        profile = self.stage.clients[label].folder / "profiles/default"
        command = [sys.executable, "-m", "tests.demo.prise", str(self.stage.data), str(profile)]
        answer = subprocess.run(
            command, input=f"{sample.PASSPHRASE}\n{sample.AFTER}\n{sample.ARRIVED}", capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if answer.returncode:
            raise Failed(f"prise: {answer.stderr[-2000:]}")
        words = dict(pair.split("=") for pair in answer.stdout.split())
        self.prised[label] = {key: int(value) for key, value in words.items()}

    def keys_do_not_open(self) -> None:
        """the removed client's keys are given every envelope and seal on the server's disk: what was written
        afterwards stays closed"""
        self.b.stop()
        side_by_side(lambda: self._prise("lawyer"), lambda: self._prise("b"))
        found = self.prised["lawyer"]
        expect(found["texts_earlier"] > 0, f"its keys open nothing at all, so this shows nothing: {found}")
        expect(found["later"] == 0 and found["texts_later"] == 0, f"the removed member's keys open {found}")
        expect(found["strange"] == 0, f"rooms that it never was in opened: {found}")
        expect(found["closed"] > 0, f"there was nothing later to open: {found}")

    def keys_of_member_open(self) -> None:
        """the same with a remaining member's keys opens it: the tool can tell the difference"""
        found = self.prised["b"]
        expect(found["texts_later"] > 0 and found["closed"] == 0, f"a member's keys do not open: {found}")

    def server_lies(self) -> None:
        """the server is put back to an older disk and says nothing: the case handler's window says that it has gone
        backwards, shows the evidence, and still has what the server forgot"""
        self.stage.turn_back()
        self.a.wait_part(said("The server has lost content"), "Button")
        self.a.wait_row(messages(), sample.AFTER)
        self.a.shot(self.stage.out / "gone-backwards.png")
        self.a.press(named(said("Show evidence"), "Button"))
        shown = self.a.text(named(said("Evidence"), "EditableText"))
        expect(said("The server went backwards") in shown, f"no evidence: {shown}")
        self.a.keys("Escape")
