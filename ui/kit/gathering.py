# SPDX-License-Identifier: EUPL-1.2
"""Announcements that wait, and the sentence that is made of them: at most one in five seconds. It has no clock and no
Qt: `ui/kit/announcing.py` gives it both."""

from dataclasses import dataclass, field
from enum import Enum

from ui.kit.translate import trn

PAUSE_S = 5.0
"""Announcements that are queued within this time are read out together."""


class Kind(Enum):
    """What an announcement to a screen reader is about: KEPT, DONE, MESSAGES or PASSING. It decides whether the
    announcement is read out if others come before it is its turn."""

    KEPT = "kept"
    """An error, something that can be undone, the connection: waits, and is never dropped."""
    DONE = "done"
    """The result of the person's own action: the latest one is read out."""
    MESSAGES = "messages"
    """New messages: counted."""
    PASSING = "passing"
    """Something that passes by, such as that a colleague is typing: the latest is read out, and only if nothing else
    waits."""


@dataclass(slots=True)
class Gathering:
    """The announcements that wait to be read out, by kind; it joins them to one sentence. The caller passes monotonic
    seconds to `add` and `take`."""

    _kept: list[str] = field(default_factory=list)
    _done: str = ""
    _messages: int = 0
    _message: str = ""
    _passing: str = ""
    quiet_until: float = 0.0
    """No announcement is made before this time."""

    def add(self, kind: Kind, text: str, now: float, count: int = 1) -> str:
        """Adds an announcement at the time `now`. Returns `text` if it is to be read out at once: one of kind KEPT or
        DONE, if the pause since the last is over and nothing waits. Otherwise it waits, as MESSAGES and PASSING always
        do, and "" is returned. Of DONE and PASSING a new one replaces the one that waits; of KEPT all wait, the same
        text once. `count` is the number of messages; `text` is used for a single one."""
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

    def rest(self, until: float) -> None:
        """Has what is added from now on wait at least until the time `until`."""
        self.quiet_until = max(self.quiet_until, until)

    @property
    def waits(self) -> bool:
        """Whether an announcement waits."""
        return bool(self._kept or self._done or self._messages or self._passing)

    def take(self, now: float) -> str:
        """Returns what waits as one text, to be read out at the time `now`, and drops it. PASSING is in the text only
        if nothing else waits. "" if nothing waits or the pause since the last announcement is not over."""
        if now < self.quiet_until or not self.waits:
            return ""
        parts = [*self._kept, self._done, self._news()]
        due = [part for part in parts if part] or [self._passing]
        self.forget()
        self.quiet_until = now + PAUSE_S
        return due[0] if len(due) == 1 else ". ".join(part.rstrip(".") for part in due) + "."

    def _news(self) -> str:
        if not self._messages:
            return ""
        if self._messages == 1 and self._message:
            return self._message
        return trn("{n} new message", "{n} new messages", self._messages).format(n=self._messages)

    def forget(self) -> None:
        """Drops everything that waits."""
        self._kept, self._done, self._messages, self._message, self._passing = [], "", 0, "", ""
