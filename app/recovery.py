# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet of the signed-in person: whether there is one, a new one, and requests that somebody makes with
it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

from app.core import clock
from app.errors import DiskFull, FileUnreadable, is_full
from app.people.service import PeopleService
from app.settings import RECOVERY_SHEET_REMINDER, Settings
from app.store.database import Database
from app.store.saved_files import saved_file, to_end
from sync.client.devices.own_recovery_sheet import AskedFor
from sync.client.engine import Engine
from sync.trust.person.recovery_sheet import RecoveryCode

__all__ = ["AskedFor", "Recovery", "RecoverySheetPaper", "RecoverySheetState"]


class RecoverySheetState(StrEnum):
    """Whether the person has a recovery sheet in force. NONE: no, and this device can make one; also while a new one is
    not finished. STANDS: yes. ELSEWHERE: no, and only the person's first device can make one."""

    NONE = "none"
    STANDS = "stands"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySheetPaper:
    """What is printed on a recovery sheet. `code` has seven groups of four letters; `agency` is the beginning of the
    agency's key, `made_ms` when the recovery sheet was made."""

    code: str = field(repr=False)
    name: str
    title: str
    unit: str
    server: str
    agency: str
    made_ms: int

    @property
    def groups(self) -> list[str]:
        return self.code.split("-")


class Recovery:
    """The recovery sheet of the signed-in person: makes one, and vetoes requests that somebody makes with it. Raises
    what the engine raises: Unreachable while offline, Refused and Reject with their codes."""

    def __init__(self, engine: Engine, people: PeopleService, settings: Settings, db: Database) -> None:
        self._engine = engine
        self._people = people
        self._settings = settings
        self._db = db

    @property
    def state(self) -> RecoverySheetState:
        recovery_sheet = self._engine.recovery_sheet
        if recovery_sheet.in_force:
            return RecoverySheetState.STANDS
        return RecoverySheetState.NONE if recovery_sheet.may_make else RecoverySheetState.ELSEWHERE

    @property
    def needs_old(self) -> bool:
        """Whether the code of the recovery sheet in force must be typed to make another."""
        return self._engine.recovery_sheet.needs_old

    def check_old(self, code: str) -> None:
        """Checks `code`, the typed code of the person's former recovery sheet, without the server. Raises Reject
        `"code"` if it is mistyped, `"recovery-sheet-format"` if it is of format 1, `"recovery-sheet"` if it is not that
        of the recovery sheet in force."""
        self._engine.recovery_sheet.check_old(code)

    def draw(self) -> RecoverySheetPaper:
        """Makes a new recovery sheet with a random code. Nothing is stored and nothing changes before `publish`."""
        me = self._people.me
        return RecoverySheetPaper(
            code=RecoveryCode.fresh().format(),
            name=me.name,
            title=me.title,
            unit=me.unit,
            server=self._engine.status.server,
            agency=self._engine.agency[:8].hex(" ", 2),
            made_ms=clock.now_ms(),
        )

    async def save(self, target: Path, pdf: bytes) -> None:
        """Writes `pdf`, a recovery sheet, to the file `target`, in place of one that is there. DiskFull if the disk of
        `target` is full, FileUnreadable if the file cannot be written for another reason; then `target` is as it was.

        ▲ If the process is killed before the file is complete, `target` is as it was too, and the next session removes
        what was written (app/store/saved_files.py). Otherwise a recovery code that nobody knows of would lie on the
        disk, with which another person could take over the account."""
        try:
            async with saved_file(self._db, target) as draft:
                await to_end(partial(draft.file.write, pdf))
                await to_end(draft.keep)
        except OSError as e:
            raise (DiskFull if is_full(e) else FileUnreadable) from e

    async def publish(self, paper: RecoverySheetPaper, old: str = "") -> None:
        """Puts the recovery sheet `paper` in force. Call it once the person has the paper in hand. `old`: the code of
        the recovery sheet that it replaces, if `needs_old`. Unreachable while offline: then nothing is stored. Once it
        has begun it finishes by itself on a later connection. Reject `"code"` or `"recovery-sheet-format"` if a code is
        mistyped or of format 1, `"recovery-sheet"` if `old` is not in force or another device made one first,
        `"escrow"` if the agency has not certified the server's key; Refused with the server's code."""
        await self._engine.recovery_sheet.publish(paper.code, old)

    def waits(self, paper: RecoverySheetPaper) -> bool:
        """Whether `publish` was called for the recovery sheet `paper` and has not finished: it finishes by itself, and
        the paper must not be thrown away."""
        return self._engine.recovery_sheet.waits(paper.code)

    # -- what others ask ------------------------------------------------------------------------------------------

    def asked(self) -> Sequence[AskedFor]:
        """Requests made with the recovery sheet that are not granted yet."""
        return self._engine.recovery_sheet.asked

    async def veto(self, asked: AskedFor) -> None:
        """Vetoes a request."""
        await self._engine.recovery_sheet.veto(asked)

    # -- the reminder ---------------------------------------------------------------------------------------------

    @property
    def reminds(self) -> bool:
        """Whether Home shows that there is no recovery sheet."""
        return self.state is RecoverySheetState.NONE and self._settings.get(RECOVERY_SHEET_REMINDER)

    def dismiss(self) -> None:
        """Ends the reminder for good."""
        self._settings.set(RECOVERY_SHEET_REMINDER, False)
