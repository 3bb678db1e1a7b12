# SPDX-License-Identifier: EUPL-1.2
"""Decides which request begins next. Each party (a device, or before sign-in an address) has a budget of processor time
that refills. Within its budget, a party's request begins at once. Beyond its budget, the request waits in a queue of
all parties beyond theirs: one of their requests runs at a time, party after party, and after each there is a pause in
which the others are served. If there are no other parties, there is no pause. A party that has used more than half of
its budget has one request running at a time: several at once would delay all other parties as one long request does.

A request is delayed only before it begins. Once it runs it holds locks that honest people wait for.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sync.server.config import Limits
from sync.server.load.ephemeral_quotas import EphemeralQuotas, rates_by_kind
from sync.server.load.rates import Bucket

K = TypeVar("K", bound=str | bytes)

_BUSY_S = 1.0
"""Other parties count as present for so long after one of them began a request within its budget."""
_ADDRESS_AT_ONCE = 4
"""Most requests of one address that run at once before sign-in: more would only wait for each other."""
_MOST_PAUSE_S = 2.0
"""The longest pause between two requests beyond their parties' budgets; also how long one may delay the next."""
_MOST_DEBT_S = 1.0
"""Most processor time that a party can owe. More is forgotten, so that a party that stops is soon within its budget
again."""
_SPENT_S = -0.9 * _MOST_DEBT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one party (a device, or before sign-in a network address) may use. `at_once`: requests at the same time.
    `requests_per_s`: requests begun per second. `processor_per_s`: seconds of processor time per second.
    Each `…_burst` is how much of the same may be saved up. `ephemerals`: messages that are passed on and not stored, by
    kind: how many per second, and how many may be saved up. Beyond this a request waits, and an ephemeral message is
    dropped."""

    at_once: int
    requests_per_s: float
    requests_burst: float
    processor_per_s: float
    processor_burst_s: float
    ephemerals: Mapping[int, tuple[float, int]] = field(default_factory=dict)


def device_terms(limits: Limits) -> Terms:
    """What a signed-in device may use without waiting, over all its connections together, by `limits`."""
    return Terms(
        at_once=limits.requests_at_once,
        requests_per_s=limits.frames_per_s,
        requests_burst=limits.frames_burst,
        processor_per_s=limits.processor_per_s,
        processor_burst_s=limits.processor_burst_s,
        ephemerals=rates_by_kind(limits),
    )


def address_terms(limits: Limits) -> Terms:
    """What one address may use without waiting, for all its requests before sign-in, by `limits`. A whole office may
    share one address."""
    return Terms(
        at_once=_ADDRESS_AT_ONCE,
        requests_per_s=limits.address_requests_per_s,
        requests_burst=limits.address_requests_burst,
        processor_per_s=limits.address_processor_per_s,
        processor_burst_s=limits.address_processor_burst_s,
    )


NO_TERMS = Terms(at_once=10**9, requests_per_s=1e9, requests_burst=1e9, processor_per_s=1e9, processor_burst_s=1e9)


class Budget:
    """What one party (a device, or before sign-in an address) has used of the server, and which of its requests run or
    wait. It outlives the party's connections. Otherwise a party could get a new budget by connecting again."""

    def __init__(self, queue: "FairQueue", terms: Terms, shared: Bucket | None = None) -> None:
        """`terms`: what the party may use. `shared`: processor time of several parties together, such as a person's
        devices; each charge goes to it and to the party's own. `queue` decides when requests beyond the budget
        begin."""
        self._queue = queue
        self._shared = shared
        self._processor = Bucket(terms.processor_per_s, terms.processor_burst_s)
        self._from_threads: list[float] = []
        self._at_once = terms.at_once
        self._ample_s = terms.processor_burst_s / 2
        self.requests = Bucket(terms.requests_per_s, terms.requests_burst)
        self.ephemerals = EphemeralQuotas(terms.ephemerals)
        self.at_work = 0
        self.waiting: list[asyncio.Future[None]] = []
        """Requests of all its connections that have not begun, the oldest first."""
        self.used_s = 0.0
        self.timer: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """Waits until one more request of the budget's party (a device or an address) may begin. Each `begin` that
        returned needs one `end`; one that was cancelled needs none."""
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
        """Whether a request of the budget's party (a device or an address) waits to begin. A request whose connection
        has ended does not count."""
        while self.waiting and self.waiting[0].done():
            self.waiting.pop(0)
        return bool(self.waiting)

    def grant(self) -> None:
        """Begins the oldest waiting request of the budget's party (a device or an address); called by the queue that
        serves all parties. Just before, the caller must have found `has_waiting` true, which also removes cancelled
        requests. Otherwise IndexError or asyncio.InvalidStateError."""
        self.at_work += 1
        self.waiting.pop(0).set_result(None)

    def end(self) -> None:
        """Notes that a request of the budget's party (a device or an address) has ended; the queue may then begin
        others."""
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
        """Adds what threads have charged meanwhile, and returns how many seconds of processor time the budget's party
        (a device or an address) has used since the budget was made."""
        while self._from_threads:
            self.charge(self._from_threads.pop())
        return self.used_s

    @property
    def at_once(self) -> int:
        """How many requests of the party may be at work at the same time: as many as its terms say, but 1 once more
        than half of its own processor time is used, since several at once would delay all other parties."""
        return self._at_once if self._processor.left >= self._ample_s else 1

    @property
    def in_credit(self) -> bool:
        """Whether the party (a device or an address) has processor time left in its own budget, and in the one that it
        shares with other devices, if there is one. What threads have charged meanwhile is added first."""
        self.settle()
        return self._processor.left > 0 and (self._shared is None or self._shared.left > 0)

    @property
    def is_spent(self) -> bool:
        """Whether the party has used far more than its budget: its debt is nearly the largest possible."""
        return not self.in_credit and self._processor.left <= _SPENT_S

    @property
    def may_disturb(self) -> bool:
        """Whether the party (a device or an address) may send ephemeral messages, which are dropped rather than
        delayed: it is within its budget of processor time, or no other party has begun a request within its own budget
        in the last second. What threads have charged meanwhile is added first."""
        return self.in_credit or not self._queue.has_others(self)


class BudgetedRequest:
    """One request, for the length of an `async with` block: the block begins when `budget`, its party's, lets a request
    begin. The request ends with the block or with an earlier `end`."""

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
        """Ends the request before its `async with` block does, if the rest of the block only waits for the client. A
        second call does nothing."""
        if not self._ended:
            self._ended = True
            self._budget.end()


class FairQueue:
    """Decides when the waiting requests of all parties begin; a party is a device or an address. Requests within their
    party's budget begin at once. Those of parties beyond it begin one at a time, in turn, and get only a share of the
    time while others are served. One queue for the whole server."""

    def __init__(self, share: float) -> None:
        """`share`: the part of the time (above 0, at most 1) that all parties beyond their budgets get together while
        others are served."""
        self._share = share
        self._behind: dict[Budget, None] = {}
        """The parties beyond their budgets that have a waiting request, in the order in which they are served."""
        self._one: Budget | None = None
        """The party whose request runs now though the party is beyond its budget."""
        self._one_from_s = 0.0
        self._overdue: asyncio.TimerHandle | None = None
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._newest: tuple[Budget | None, float] = (None, -_BUSY_S)
        self._other: tuple[Budget | None, float] = (None, -_BUSY_S)
        """`_newest`: the party that last began a request within its budget; `_other`: the last party before it that
        differs. Each with the time."""

    @property
    def behind(self) -> int:
        """The number of parties beyond their budgets that have waiting requests."""
        return len(self._behind)

    def may_begin(self, budget: Budget) -> bool:
        """Whether a new request of the party with this budget may begin at once. If so, it is counted in the party's
        rate; the caller adds it to `at_work`. False, and nothing is counted, if too many of the party's requests run,
        or its processor time or its rate is used up; the request must then wait."""
        if budget.at_work >= budget.at_once or not budget.in_credit or not budget.requests.take():
            return False
        self._note(budget)
        return True

    def look(self, budget: Budget) -> None:
        """Begins those waiting requests of the party with this budget that may begin now. The rest begin later: a timer
        looks again when its rate allows one, the queue of all parties beyond their processor time serves it in turn,
        and the end of a running request makes a place if too many run."""
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
        """Called when a request of the party with this budget has ended: begins the requests of all parties that may
        begin because of that."""
        if budget is self._one:
            self._end_one(budget)
        self.look(budget)
        self._next()

    def has_others(self, budget: Budget) -> bool:
        """Whether a party other than the one with this budget began a request within its budget in the last second.
        Only then must a party beyond its budget pause between its requests, for those that are within theirs."""
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
        """Begins a request of the next party that is beyond its budget, unless one such request runs already. If the
        pause after the one before is not over, a timer calls this function again. There is no pause if no other party
        began a request within its budget in the last second. If the party is within its budget again, its requests
        begin as usual."""
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
        """Called by a timer when a request beyond its party's budget has run for 2 s (_MOST_PAUSE_S). Lets the next
        party beyond its budget begin, after the usual pause, though that request still runs: it has waited too long for
        the disk or for a room's lock."""
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
    """The budgets of all parties of one kind (devices, or addresses), by the party's id or address. All have the same
    `terms`. Beyond `kept` of them, the least recently used one is dropped; its party then begins with a new, unused
    one."""

    def __init__(self, queue: FairQueue, terms: Terms, kept: int = 65_536) -> None:
        self._queue = queue
        self._terms = terms
        self._kept = kept
        self._budgets: OrderedDict[K, Budget] = OrderedDict()

    def of(self, party: K, shared: Bucket | None = None) -> Budget:
        """The budget of `party`; the same one as long as it is remembered. `shared`, processor time of several parties
        together, counts only where a new budget is made."""
        found = self._budgets.get(party)
        if found is None:
            found = self._budgets[party] = Budget(self._queue, self._terms, shared)
            while len(self._budgets) > self._kept:
                self._budgets.popitem(last=False)
        self._budgets.move_to_end(party)
        return found
