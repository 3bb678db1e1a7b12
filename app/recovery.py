# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet of the signed-in person: whether there is one, a new one, and who asks something with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.core import clock
from app.people.service import PeopleService
from app.settings import RECOVERY_SHEET_REMINDER, Settings
from sync.client.devices.own_recovery_sheet import AskedFor
from sync.client.engine import Engine
from sync.trust.person.recovery_sheet import RecoveryCode

__all__ = ["AskedFor", "Recovery", "RecoverySheetPaper", "RecoverySheetState"]

GROUPS = 7
"""Of four letters."""


class RecoverySheetState(StrEnum):
    """Whether a sheet is in force; ELSEWHERE: there is none, and only the person's first device can make one."""

    NONE = "none"
    STANDS = "stands"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySheetPaper:
    """What stands on a sheet. `code` in seven groups of four; `agency` the beginning of the agency's key."""

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
    """Raises what the engine raises: Unreachable while offline, Refused and Reject by their codes."""

    def __init__(self, engine: Engine, people: PeopleService, settings: Settings) -> None:
        self._engine = engine
        self._people = people
        self._settings = settings

    @property
    def state(self) -> RecoverySheetState:
        recovery_sheet = self._engine.recovery_sheet
        if recovery_sheet.in_force:
            return RecoverySheetState.STANDS
        return RecoverySheetState.NONE if recovery_sheet.may_make else RecoverySheetState.ELSEWHERE

    @property
    def needs_old(self) -> bool:
        """Whether the sheet in force must be typed to make another."""
        return self._engine.recovery_sheet.needs_old

    def check_old(self, code: str) -> None:
        """Reject "code" if it is mistyped, "recovery-sheet" if it is not the one in force."""
        self._engine.recovery_sheet.check_old(code)

    def draw(self) -> RecoverySheetPaper:
        """A new sheet, known to nobody: nothing is kept and nothing is changed before `publish`."""
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

    async def publish(self, paper: RecoverySheetPaper, old: str = "") -> None:
        """The person has the sheet in hand: it is theirs from now on."""
        await self._engine.recovery_sheet.publish(paper.code, old)

    def waits(self, paper: RecoverySheetPaper) -> bool:
        """Whether `publish` began and could not end: it ends by itself, and the sheet must not be thrown away."""
        return self._engine.recovery_sheet.waits(paper.code)

    # -- what others ask ------------------------------------------------------------------------------------------

    def asked(self) -> Sequence[AskedFor]:
        """What somebody asks with the sheet and has not got yet."""
        return self._engine.recovery_sheet.asked

    async def veto(self, asked: AskedFor) -> None:
        """Says no."""
        await self._engine.recovery_sheet.veto(asked)

    # -- the reminder ---------------------------------------------------------------------------------------------

    @property
    def reminds(self) -> bool:
        """Whether Hem says that there is no sheet."""
        return self.state is RecoverySheetState.NONE and self._settings.get(RECOVERY_SHEET_REMINDER)

    def dismiss(self) -> None:
        """Not again."""
        self._settings.set(RECOVERY_SHEET_REMINDER, False)
