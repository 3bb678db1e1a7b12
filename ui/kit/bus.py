# SPDX-License-Identifier: EUPL-1.2
"""Connections to a D-Bus and requests over them. Nothing here names a service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from jeepney import Message, MessageType
from jeepney.io.asyncio import DBusRouter, RouterClosed, open_dbus_connection

ANSWER_S = 5.0


@asynccontextmanager
async def open_bus(bus: str) -> AsyncIterator[DBusRouter]:
    """A context with a connection to the bus "SESSION" or "SYSTEM", which is closed at its end. OSError, EOFError,
    KeyError or ValueError if there is none."""
    async with await open_dbus_connection(bus) as connection:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # jeepney uses asyncio.wait_for, which may drop a cancellation
            raise asyncio.CancelledError
        async with DBusRouter(connection) as router:
            yield router


async def ask(router: DBusRouter, message: Message) -> tuple[Any, ...]:
    """Sends a request and returns the reply's body. OSError if the reply is an error; TimeoutError if there is none
    within ANSWER_S; EOFError if the connection ends.

    The task that waits for the reply is not cancelled with the caller: jeepney's receiver ends with InvalidStateError
    if the reply to a cancelled wait is in the same turn of the loop. `asyncio.wait_for` is not used: before Python 3.12
    it returns the reply, and drops the cancellation, if both are in the same turn. The caller would then never end."""
    asking = asyncio.ensure_future(router.send_and_get_reply(message))
    asking.add_done_callback(lambda it: it.cancelled() or it.exception())  # no warning if the caller is gone
    await asyncio.wait([asking], timeout=ANSWER_S)
    if not asking.done():
        raise TimeoutError
    try:
        reply = asking.result()
    except (RouterClosed, KeyError) as e:  # KeyError: jeepney drops the wait from its table twice
        raise EOFError from e
    if reply.header.message_type is MessageType.error:
        raise OSError("refused")
    body: tuple[Any, ...] = reply.body
    return body
