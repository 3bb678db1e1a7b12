# SPDX-License-Identifier: EUPL-1.2
"""Every slot that changes a model or calls a service does it in `run_guarded` (the rule is in guarding.py)."""

from pathlib import Path

import pytest

from tests.ui.guarding import MODELS, READS, bare_in, bare_under, methods

UI = Path(__file__).parents[2] / "ui"
TAKEN_ELSEWHERE = {
    ("curtain.py", "unlocking.note_covered"): "it logs a refusal of the disk itself",
    ("curtain.py", "unlocking.note_lifted"): "the same",
    ("ending.py", "session.save"): "the views that store before the end take StoreFault themselves",
    ("trial.py", "service.create"): "the self-test reports what a tool's trial raises",
    ("trial.py", "service.close"): "the same",
    ("trial.py", "board.add_card"): "the same",
}


def test_no_slot_changes_a_model_unguarded() -> None:
    found = [bare for bare in bare_under(UI) if (Path(bare.file).name, bare.what) not in TAKEN_ELSEWHERE]
    assert [str(bare) for bare in found] == [], "call it in ui.kit.tasks.run_guarded"


def test_what_reads_is_named_by_methods_that_there_are() -> None:
    for cls in {cls for classes in MODELS.values() for cls in classes}:
        assert set(READS[cls].split()) <= methods(cls), cls


BARE = {
    "from a slot": "def _on_column(self):\n    self._board.move_card(self._card, to)",
    "from a list of slots": "def __init__(self):\n    box.toggled.connect(lambda on: self._board.assign(c, on))",
    "given on": "def _ask(self):\n    entries = [Entry(run=partial(self._board.set_label, card, label, True))]",
    "by way of a session": "def finish(session, task):\n    session.service(DOCUMENTS).delete(task)",
    "from a function of a slot": "def _keep(self):\n    self.board.edit_card(c)\n\ndef on(self):\n    self._keep()",
    "from one that is guarded only sometimes": (
        "def _keep(self):\n    self.board.edit_card(c)\n\n"
        "def leave(self):\n    run_guarded(self, self._keep)\n\ndef hide(self):\n    self._keep()"
    ),
    "from one that calls itself": "def _keep(self):\n    self.board.edit_card(c)\n    self._keep()",
    "from a public function": "def keep(s):\n    board.edit_card(c)\n\ndef on(s):\n    run_guarded(s, s.keep)",
    "in the handler": "def _on():\n    try:\n        pass\n    except Fault:\n        rooms.set_level(room, level)",
}
GUARDED = {
    "in a lambda": "def _on(self):\n    run_guarded(self, lambda: self._board.delete_card(c))",
    "given on": "def undo(self):\n    tasks.run_guarded(self, self.board.undo.undo)",
    "by a partial": "def _on(self):\n    run_guarded(self, partial(self.board.archive_card, c, False))",
    "in an inner function": "def on(self):\n    def act():\n        self.board.add_card(c)\n    run_guarded(self, act)",
    "in a private function": "def _keep(s):\n    board.edit_card(c)\n\ndef on(s):\n    run_guarded(s, s._keep)",
    "in a coroutine": "async def _rename(self):\n    self._service.rename(obj, await ask())",
    "where the error is taken": "def keep(self):\n    with suppress(StoreUnwritable):\n        settings.set(KEY, 1)",
    "a read": "def _on(self):\n    return self._board.columns()",
    "what is no model": "def _on(self):\n    self._timer.delete()",
}


@pytest.mark.parametrize("how", BARE)
def test_a_bare_call_is_found(how: str) -> None:
    assert len(bare_in(BARE[how])) == 1


@pytest.mark.parametrize("how", GUARDED)
def test_a_guarded_call_is_none(how: str) -> None:
    assert bare_in(GUARDED[how]) == []
