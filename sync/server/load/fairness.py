# SPDX-License-Identifier: EUPL-1.2
"""Who may begin the next request. Each device, and before sign-in each address, has a budget of processor time that
refills. Within its budget a request begins at once. Beyond it the request waits in a queue of all who are beyond
theirs: one of those requests is at work at a time, party after party, and after each there is a pause in which the
others are served. With nobody else there, there is no pause. A party that has used more than half of its budget has
one request at work at a time: several at once would delay everybody else as one long request does.

A request is only ever held up before it begins. Once begun it holds locks that honest people wait for.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from sync.server.config import Limits
from sync.server.load.rates import Bucket

K = TypeVar("K", bound=str | bytes)

_BUSY_S = 1.0
"""Others count as there for so long after one of them began a request within its budget."""
_ADDRESS_AT_ONCE = 4
"""Requests of one address that are at work before sign-in: more would only wait for each other."""
_MOST_PAUSE_S = 2.0
"""Between two requests beyond their parties' budgets, and how long one of them may keep the next one waiting."""
_MOST_DEBT_S = 1.0
"""Of processor time: what is beyond it is forgotten, so that a party that stops is within its budget again soon."""
_SPENT_S = -0.9 * _MOST_DEBT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one party may use without waiting: requests under way and begun, and seconds of processor time."""

    at_once: int
    requests_per_s: float
    requests_burst: float
    processor_per_s: float
    processor_burst_s: float
    ephemeral_per_s: float = 0.0
    ephemeral_burst: float = 0.0


def device_terms(limits: Limits) -> Terms:
    """For a device that has signed in, over all its connections."""
    return Terms(
        at_once=limits.requests_at_once,
        requests_per_s=limits.frames_per_s,
        requests_burst=limits.frames_burst,
        processor_per_s=limits.processor_per_s,
        processor_burst_s=limits.processor_burst_s,
        ephemeral_per_s=limits.ephemeral_per_s,
        ephemeral_burst=limits.ephemeral_burst,
    )


def address_terms(limits: Limits) -> Terms:
    """For all that one address asks before sign-in: an office may share one."""
    return Terms(
        at_once=_ADDRESS_AT_ONCE,
        requests_per_s=limits.address_requests_per_s,
        requests_burst=limits.address_requests_burst,
        processor_per_s=limits.address_processor_per_s,
        processor_burst_s=limits.address_processor_burst_s,
    )


NO_TERMS = Terms(at_once=10**9, requests_per_s=1e9, requests_burst=1e9, processor_per_s=1e9, processor_burst_s=1e9)


class Budget:
    """One party's use of the server. Outlives its connections, so that nobody gets a new one by connecting again."""

    def __init__(self, queue: "FairQueue", terms: Terms, shared: Bucket | None = None) -> None:
        """`shared`: a budget of processor time for several parties together. A charge goes to it and to the party's
        own."""
        self._queue = queue
        self._shared = shared
        self._processor = Bucket(terms.processor_per_s, terms.processor_burst_s)
        self._from_threads: list[float] = []
        self._at_once = terms.at_once
        self._ample_s = terms.processor_burst_s / 2
        self.requests = Bucket(terms.requests_per_s, terms.requests_burst)
        self.ephemerals = Bucket(terms.ephemeral_per_s, terms.ephemeral_burst)
        self.at_work = 0
        self.waiting: list[asyncio.Future[None]] = []
        """Requests that have not begun, of all its connections, the oldest first."""
        self.used_s = 0.0
        self.timer: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Waits until another request of the party may begin. Each `begin` that returned needs one `end`."""
        if not self.has_waiting and self._queue.may_begin(self):
            self.at_work += 1
            return
        start: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append(start)
        self._queue.look(self)
        try:
            await start
        except asyncio.CancelledError:
            if not start.cancelled():
                self.end()
            raise

    @property
    def has_waiting(self) -> bool:
        """Whether a request waits; one whose connection has ended does not."""
        while self.waiting and self.waiting[0].done():
            self.waiting.pop(0)
        return bool(self.waiting)

    def grant(self) -> None:
        """The queue's word that the oldest waiting request begins; there is one."""
        self.at_work += 1
        self.waiting.pop(0).set_result(None)

    def end(self) -> None:
        """A request that began has ended."""
        self.at_work -= 1
        self._queue.ended(self)

    def charge(self, processor_s: float) -> None:
        self.used_s += processor_s
        self._processor.spend(processor_s, most_debt=_MOST_DEBT_S)
        if self._shared is not None:
            self._shared.spend(processor_s, most_debt=_MOST_DEBT_S)

    def charge_from_thread(self, processor_s: float) -> None:
        self._from_threads.append(processor_s)

    def settle(self) -> float:
        """Seconds of processor time used so far, the threads' among them."""
        while self._from_threads:
            self.charge(self._from_threads.pop())
        return self.used_s

    @property
    def at_once(self) -> int:
        """How many requests of the party may be at work at the same time; 1 once half of its budget is used."""
        return self._at_once if self._processor.left >= self._ample_s else 1

    @property
    def in_credit(self) -> bool:
        """Whether the party is within its own budget and within the shared one."""
        self.settle()
        return self._processor.left > 0 and (self._shared is None or self._shared.left > 0)

    @property
    def is_spent(self) -> bool:
        """Whether the party has used far more than its budget: it is as deep in debt as one can be."""
        return not self.in_credit and self._processor.left <= _SPENT_S

    @property
    def may_disturb(self) -> bool:
        """Whether the party may send what is dropped rather than held up: it is within its budget, or alone."""
        return self.in_credit or not self._queue.has_others(self)


class BudgetedRequest:
    """A request that begins when the block does, as its party may, and ends with it or before."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._ended = True

    async def __aenter__(self) -> "BudgetedRequest":
        await self._budget.begin()
        self._ended = False
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """What follows is no work of ours: it waits for the client. Twice is once."""
        if not self._ended:
            self._ended = True
            self._budget.end()


class FairQueue:
    """Decides when waiting requests begin. One for the whole server."""

    def __init__(self, share: float) -> None:
        """`share`: of the time, for all together who are beyond their budget, while others are served."""
        self._share = share
        self._behind: dict[Budget, None] = {}
        """Beyond their budget, with a request that waits; the next one first."""
        self._one: Budget | None = None
        """Whose request, begun beyond its budget, is at work."""
        self._one_from_s = 0.0
        self._overdue: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._newest: tuple[Budget | None, float] = (None, -_BUSY_S)
        self._other: tuple[Budget | None, float] = (None, -_BUSY_S)
        """Who last began a request within its budget, and who did that is somebody else, each with the time."""

    @property
    def behind(self) -> int:
        """Parties that are held up."""
        return len(self._behind)

    def may_begin(self, budget: Budget) -> bool:
        """Whether a request may begin at once; counts it if so."""
        if budget.at_work >= budget.at_once or not budget.in_credit or not budget.requests.take():
            return False
        self._note(budget)
        return True

    def look(self, budget: Budget) -> None:
        """Begins what may begin of a party that has waiting requests, and arranges for the rest."""
        while budget.has_waiting and budget.at_work < budget.at_once:
            if wait_s := budget.requests.wait_s():
                self._look_later(budget, wait_s)
                return
            if not budget.in_credit:
                if budget.at_work == 0:
                    self._behind.setdefault(budget)
                    self._next()
                return
            budget.requests.take()
            self._note(budget)
            budget.grant()

    def ended(self, budget: Budget) -> None:
        """A request of the party has ended: others may begin."""
        if budget is self._one:
            self._end_one(budget)
        self.look(budget)
        self._next()

    def has_others(self, budget: Budget) -> bool:
        """Whether somebody else began a request within their budget lately."""
        _, at = self._other if self._newest[0] is budget else self._newest
        return time.monotonic() - at < _BUSY_S

    def _note(self, budget: Budget) -> None:
        if self._newest[0] is not budget:
            self._other = self._newest
        self._newest = budget, time.monotonic()

    def _look_later(self, budget: Budget, wait_s: float) -> None:
        def look() -> None:
            budget.timer = None
            self.look(budget)

        if budget.timer is None:
            budget.timer = asyncio.get_running_loop().call_later(wait_s, look)

    def _next(self) -> None:
        """Begins a request of the next party that is beyond its budget, when its time has come."""
        while self._behind and self._one is None:
            budget = next(iter(self._behind))
            pause_s = self._not_before - time.monotonic()
            if pause_s > 0 and budget.has_waiting and not budget.in_credit and self.has_others(budget):
                self._next_later(min(pause_s, _BUSY_S))
                return
            del self._behind[budget]
            if budget.has_waiting and budget.at_work == 0 and not budget.in_credit and budget.requests.take():
                self._begin_one(budget)
            else:
                self.look(budget)

    def _begin_one(self, budget: Budget) -> None:
        self._one, self._one_from_s = budget, budget.settle()
        self._overdue = asyncio.get_running_loop().call_later(_MOST_PAUSE_S, self._pass_over)
        budget.grant()

    def _end_one(self, budget: Budget) -> None:
        used_s = budget.settle() - self._one_from_s
        self._one = None
        if self._overdue is not None:
            self._overdue.cancel()
        self._not_before = time.monotonic() + min(_MOST_PAUSE_S, used_s * (1 / self._share - 1))

    def _pass_over(self) -> None:
        """A request that waits so long for the disk, or for a room, holds up no other party's."""
        if self._one is not None:
            self._end_one(self._one)
            self._next()

    def _next_later(self, wait_s: float) -> None:
        def go_on() -> None:
            self._timer = None
            self._next()

        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, go_on)


class Budgets(Generic[K]):
    """The budgets of all parties of one kind. Of those not seen for longest one is dropped when there are too many."""

    def __init__(self, queue: FairQueue, terms: Terms, kept: int = 65_536) -> None:
        self._queue = queue
        self._terms = terms
        self._kept = kept
        self._budgets: OrderedDict[K, Budget] = OrderedDict()

    def of(self, party: K, shared: Bucket | None = None) -> Budget:
        """The party's budget; the same one as long as it is remembered. `shared` counts only where a new one is
        made."""
        found = self._budgets.get(party)
        if found is None:
            found = self._budgets[party] = Budget(self._queue, self._terms, shared)
            while len(self._budgets) > self._kept:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(party)
        return found
