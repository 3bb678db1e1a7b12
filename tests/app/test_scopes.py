# SPDX-License-Identifier: EUPL-1.2
"""Scopes close in the reverse order, whatever fails in them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from typing import Literal, get_args

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DiskFull, NotFound, StoreFault, StoreUnwritable
from app.scopes import Scopes, lasting

How = Literal["well", "waits", "full", "unwritable", "missing", "ours", "ours later", "cancelled", "panics"]
HOW: tuple[How, ...] = get_args(How)
RAISED: dict[How, type[BaseException]] = {
    "full": DiskFull,
    "unwritable": StoreUnwritable,
    "missing": NotFound,
    "ours": RuntimeError,
    "ours later": RuntimeError,
    "cancelled": asyncio.CancelledError,
    "panics": GeneratorExit,  # no Exception, as a panic of native code
}


class Opening(Exception):
    """Opening a scope has failed."""


class Part:
    """A part whose close ends as `how` says. `error` is what it has raised, None if it was not closed or did not
    fail."""

    def __init__(self, how: How) -> None:
        self.how: How = how
        self.closes = 0
        self.error: BaseException | None = None

    def close(self) -> Awaitable[None] | None:
        if self.how in ("waits", "ours later", "cancelled"):
            return self._later()
        self._end()
        return None

    async def _later(self) -> None:
        await asyncio.sleep(0)
        self._end()

    def _end(self) -> None:
        self.closes += 1
        if self.how in RAISED:
            self.error = RAISED[self.how]()
            raise self.error


@pytest_asyncio.fixture
async def shown() -> AsyncIterator[list[BaseException]]:
    """What the loop's exception handler got, which the window shows."""
    found: list[BaseException] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: found.append(context["exception"]))
    yield found
    loop.set_exception_handler(None)


async def raised_by(work: Awaitable[object]) -> BaseException | None:
    try:
        await work
    except BaseException as error:
        return error
    return None


@given(st.lists(st.sampled_from(HOW), max_size=12), st.booleans())
def test_every_scope_is_closed_once_and_in_the_reverse_order(hows: list[How], opening_fails: bool) -> None:
    async def run() -> None:
        shown = list[BaseException]()
        asyncio.get_running_loop().set_exception_handler(lambda _loop, about: shown.append(about["exception"]))
        scopes, parts, closed = Scopes(), [Part(how) for how in hows], list[Part]()

        async def opened() -> None:
            async with scopes:
                for n, part in enumerate(parts):
                    scopes.add(f"close-{n}", partial(closed.append, part))
                    assert scopes.enter(f"part-{n}", part) is part
                assert scopes.names[1::2] == tuple(f"part-{n}" for n in range(len(parts)))
                if opening_fails:
                    raise Opening

        error = await raised_by(opened())
        if not opening_fails:
            assert (error, closed) == (None, [])
            error = await raised_by(scopes.close())
        inwards = list(reversed(parts))
        assert closed == inwards
        assert all(part.closes == 1 for part in parts)
        assert scopes.names == ()
        assert shown == [part.error for part in inwards if part.how in ("ours", "ours later")]
        ends = [part.error for part in parts if part.how in ("cancelled", "panics")]
        faults = [part.error for part in inwards if isinstance(part.error, StoreFault)]
        if ends:
            assert error is ends[0]  # the outermost one: it was raised last
        elif opening_fails:
            assert isinstance(error, Opening)
        else:
            assert error is (faults[0] if faults else None)
        await raised_by(scopes.close())
        assert closed == inwards

    asyncio.run(run())


async def test_of_several_faults_the_first_is_raised_and_the_others_are_logged(
    caplog: pytest.LogCaptureFixture, shown: list[BaseException]
) -> None:
    scopes = Scopes()
    for n, how in enumerate[How](("unwritable", "missing", "full")):
        scopes.enter(f"part-{n}", Part(how))
    with pytest.raises(DiskFull):
        await scopes.close()
    lines = [line for line in caplog.messages if "session-close" in line]
    assert [line.partition("code=")[2].split()[0] for line in lines] == ["not-found", "store-unwritable"]
    assert "scope=part-1" in lines[0]
    assert shown == []


async def test_a_part_of_a_session_that_fails_is_reported_and_begins_again(
    shown: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.scopes.AGAIN_S", 0.0)
    faults = [RuntimeError("ett fel å 🙂"), DiskFull(), RuntimeError("ett till")]
    left = list(faults)

    async def part() -> None:
        if left:
            raise left.pop(0)

    await lasting(part)
    assert left == []
    assert shown == [faults[0], faults[2]], "a full disk is no fault of the program"


async def test_a_part_of_a_session_that_fails_while_it_is_cancelled_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise closing the session would wait for it for ever."""
    monkeypatch.setattr("app.scopes.AGAIN_S", 0.0)
    begun = list[int]()

    async def part() -> None:
        begun.append(1)
        if len(begun) > 1:
            return
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("ett fel å 🙂")

    task = asyncio.ensure_future(lasting(part))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(RuntimeError):
        await task
    assert len(begun) == 1
