# SPDX-License-Identifier: EUPL-1.2
"""Four people at their real engines, and a server that forks, hides, rolls back, replays, reorders, transplants and
swaps, together with removed members and stolen devices: invariants 1 to 4 and 7 of the design hold after each step.

still.py controls time and random bytes, so that a run depends on Hypothesis's choices alone.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from app.core.ids import RoomId
from tests.sync.byzantine.budget import budget
from tests.sync.byzantine.desk import Desk
from tests.sync.byzantine.histories import History, renumbered, units
from tests.sync.byzantine.lies import NAMES, lie, spoil
from tests.sync.byzantine.mischief import forced
from tests.sync.byzantine.server import Server
from tests.sync.byzantine.world import SEED, World

MOST_HISTORIES = 8
MIX = {
    "write": 3, "operation": 3, "fall": 2, "live": 2, "forge": 4, "lie": 3, "end_lies": 2, "show": 1, "fork": 1,
    "rewrite": 1, "hide": 1, "graft": 3,
}  # fmt: skip
"""How often each step is chosen."""


class FalseServer(World):
    """The other half: what the server does to one desk at a time while people continue to work."""

    server: Server

    @rule(what=st.sampled_from([what for what, often in MIX.items() for _ in range(often)]), seed=SEED)
    def step(self, what: str, seed: int) -> None:
        """One of the steps; then somebody writes."""
        dice = Random(seed)
        getattr(self, what)(dice)
        self.write(dice, 1)

    # -- answers -----------------------------------------------------------------------------------------------------

    def lie(self, dice: Random) -> None:
        """From now on the server lies to one device in this manner."""
        desk = self.desk(dice)
        self.server.faces[desk.dev].lies.append(lie(dice.choice(NAMES), self.server, dice))
        if dice.random() < 0.5:
            self.reconnect(desk)
        self.pass_time()

    def end_lies(self, dice: Random) -> None:
        """Ends all lies and hides nothing; every second time in the first of the histories."""
        desk = self.desk(dice)
        face = self.server.faces[desk.dev]
        face.lies.clear()
        face.cap.clear()
        face.log_cap.clear()
        if dice.random() < 0.5:
            face.history.clear()
        self.reconnect(desk)
        self.pass_time(40)

    def hide(self, dice: Random) -> None:
        """For one desk a room, or a person's log, ends earlier: later items are withheld, or the server went back."""
        desk, room, back = self.desk(dice), self.room(dice), dice.randint(0, 3)
        face, uid = self.server.faces[desk.dev], self.desk(dice).uid
        history = self.server.shown(face, room)
        if history is None or dice.random() < 0.5:
            face.log_cap[uid] = max(2, self.server.book.logs[uid].seq - back)
        else:
            face.cap[room] = max(2, history.n - back)
        if dice.random() < 0.3:
            self.reconnect(desk)

    # -- histories ---------------------------------------------------------------------------------------------------

    def fork(self, dice: Random) -> None:
        """Makes another history, which leaves an existing one a few positions before its end; one desk is shown it."""
        desk, room = self.alive(dice)
        old = dice.choice(self.server.rooms[room])
        made = old.branch(max(2, old.n - dice.randint(0, 4)), self.server.book)
        self._show(desk, self._keep(made), reconnects=dice.random() < 0.5)

    def rewrite(self, dice: Random) -> None:
        """Makes a history with an error near its end; one desk is shown it."""
        desk, room = self.alive(dice)
        old = dice.choice(self.server.rooms[room])
        made = old.branch(max(2, old.n - dice.randint(1, 6)), self.server.book)
        others = [i for room, hs in self.server.rooms.items() if room != made.room for i in hs[0].items]
        made.show(spoil(old.items[made.n :], old.items, others, dice), self.server.book)
        self._show(desk, self._keep(made), reconnects=dice.random() < 0.5)

    def show(self, dice: Random) -> None:
        """Shows a desk another of the histories from now on."""
        self._show(self.desk(dice), dice.choice(self.server.rooms[self.room(dice)]), reconnects=dice.random() < 0.5)

    def forge(self, dice: Random) -> None:
        """Places an item by a traitor at the end of a history that a desk is shown, or of one of its own."""
        if not self.thief.traitors:
            return
        desk, room = self.alive(dice)
        history = self.server.shown(self.server.faces[desk.dev], room)
        if history is None or history.broken:
            return
        if dice.random() < 0.3:
            history = self._keep(history.branch(max(2, history.n - dice.randint(0, 3)), self.server.book))
        traitor, first = dice.choice(self.thief.traitors), history.n + 1
        for _ in range(dice.randint(1, 3)):
            others = [uid for uid in history.stream.members if uid != traitor.uid]
            if others and not history.broken:
                signed = traitor.forge(history, self.server.book, dice, others)
                forced(history, signed, self.office.clock.ms(), self.server.book)
        self.server.placed(history, first)
        self._show(desk, history, reconnects=False)

    def graft(self, dice: Random) -> None:
        """One desk is offline while others work, and is then shown what they wrote with an item left out, in another
        order, or at another time."""
        desk, room = self.alive(dice)
        face = self.server.faces[desk.dev]
        whole = self.server.shown(face, room)
        if whole is None:
            return
        behind, base = self._keep(whole.branch(whole.n, self.server.book)), whole.n
        face.history[room] = self.server.rooms[room].index(behind)
        for _ in range(3):
            self.write(dice, 1)
        later = units(whole.items[base:])
        if later:
            at = dice.randrange(len(later))
            match dice.choice(("left out", "order", "time", "time")):
                case "left out":
                    del later[at]
                case "order":
                    later[at : at + 2] = reversed(later[at : at + 2])
                case _:
                    later[at] = [replace(item, t=item.t + 1) for item in later[at]]
        behind.show(renumbered([item for unit in later for item in unit], behind.n + 1), self.server.book)
        self._show(desk, behind, reconnects=dice.random() < 0.3)

    def _keep(self, made: History) -> History:
        """Adds a history to the room's. If there are very many, the last is dropped unless a desk is shown it."""
        histories = self.server.rooms[made.room]
        if len(histories) < MOST_HISTORIES:
            histories.append(made)
        elif all(face.history.get(made.room) != len(histories) - 1 for face in self.server.faces.values()):
            histories[-1] = made
        return histories[-1]

    def _show(self, desk: Desk, history: History, *, reconnects: bool) -> None:
        face, room = self.server.faces[desk.dev], RoomId(history.room)
        face.history[room] = self.server.rooms[room].index(history)
        if reconnects:
            self.reconnect(desk)
        elif face.authed:
            self.server.deliver(face, None, [self.server.fresh(face, history, history.items[-3:])])
        self.pass_time()

    # -- invariants --------------------------------------------------------------------------------------------------

    @invariant()
    def only_the_authorised_are_applied(self) -> None:
        self.truth.check_authors(self.office.desks)

    @invariant()
    def who_applies_one_op_agrees_on_what_it_saw(self) -> None:
        self.truth.check_agreement(self.office.desks)

    @invariant()
    def what_was_hidden_becomes_an_alarm(self) -> None:
        self.truth.check_alarms(self.office.desks)

    @invariant()
    def who_is_out_has_no_later_key(self) -> None:
        self.truth.check_secrets(self.office.desks)

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        try:
            self.truth.check_plaintext(b"".join(self.server.received))
        finally:
            self.office.close()


FalseServer.TestCase.settings = budget(70)
test_attack_whatever_a_false_server_does_the_invariants_hold = pytest.mark.longest(
    pytest.mark.slow(FalseServer.TestCase)
)
