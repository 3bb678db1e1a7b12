# SPDX-License-Identifier: EUPL-1.2
"""A new device of a person that asks to be let in."""

import asyncio

from app.core import clock
from sync.client.devices.device_pairing import Guest, Host
from sync.trust.person.agency import encode_record
from tests.world import Client, World

RECORD = encode_record({"name": "Handläggare"})


def guest_of(w: World) -> Guest:
    return Guest(dialer=w.dialer(), name="Surfplatta", system="Debian 13", now_ms=clock.now_ms)


async def waiting_guest(w: World, a: Client) -> tuple[Host, Guest]:
    """A new device that has proved its keys to the old one, which has not said yes."""
    host = a.engine.invite_device(RECORD)
    offer = await host.open(by_code=True)
    guest = guest_of(w)
    arriving = asyncio.ensure_future(host.wait_for_guest())
    await guest.join(code=offer.code)
    await arriving
    return host, guest
