# SPDX-License-Identifier: EUPL-1.2
"""What is waiting to be announced, and what is said of it: at most one sentence in five seconds.

Knows no clock and no Qt: `ui/kit/announcing.py` gives it both.
"""

from dataclasses import dataclass, field
from enum import Enum

from ui.kit.translate import trn

PAUSE_S = 5.0
"""What comes within this time is said together."""


class Kind(Enum):
    """What an announcement is about, which decides what becomes of it when more comes before it is said."""

    KEPT = "kept"
    """An error, something that can be undone, the connection: waits, and is never left out."""
    DONE = "done"
    """What the person's own deed led to: the latest one is said."""
    MESSAGES = "messages"
    """New messages are counted."""
    PASSING = "passing"
    """Somebody is writing: said only if nothing else is."""


@dataclass(slots=True)
class Gathering:
    """`add` and `due` are given monotonic seconds."""

    _kept: list[str] = field(default_factory=list)
    _done: str = ""
    _messages: int = 0
    _message: str = ""
    _passing: str = ""
    quiet_until: float = 0.0
    """Nothing is said before."""

    def add(self, kind: Kind, text: str, now: float, count: int = 1) -> str:
        """Takes in something to say and returns what is to be said at once, or "". After a quiet time that is what the
        person waits for: their own deeds and what is kept. News of others wait for more of their kind. `count` is of
        messages; `text` is said of a single one."""
        quiet = now >= self.quiet_until
        if quiet and kind in (Kind.KEPT, Kind.DONE) and not self.waits:
            self.quiet_until = now + PAUSE_S
            return text
        if quiet and not self.waits:
            self.quiet_until = now + PAUSE_S
        match kind:
            case Kind.KEPT if text not in self._kept:
                self._kept.append(text)
            case Kind.DONE:
                self._done = text
            case Kind.MESSAGES:
                self._messages += count
                self._message = text
            case Kind.PASSING:
                self._passing = text
        return ""

    @property
    def waits(self) -> bool:
        """Whether there is something to say."""
        return bool(self._kept or self._done or self._messages or self._passing)

    def take(self, now: float) -> str:
        """What is to be said now, or "" if it is not time yet. What is said is not waiting any more."""
        if now < self.quiet_until or not self.waits:
            return ""
        parts = [*self._kept, self._done, self._news()]
        said = [part for part in parts if part] or [self._passing]
        self.forget()
        self.quiet_until = now + PAUSE_S
        return said[0] if len(said) == 1 else ". ".join(part.rstrip(".") for part in said) + "."

    def _news(self) -> str:
        if not self._messages:
            return ""
        if self._messages == 1 and self._message:
            return self._message
        return trn("{n} new message", "{n} new messages", self._messages).format(n=self._messages)

    def forget(self) -> None:
        """Nothing is waiting any more."""
        self._kept, self._done, self._messages, self._message, self._passing = [], "", 0, "", ""
