# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet by keyboard: made and typed back, and used on another computer."""

import json
import re

from tests.demo.doing import opened
from tests.demo.driver import Client, Failed, named
from tests.demo.sample import PASSPHRASE
from tests.demo.stage import Stage
from tests.demo.words import said

_GROUP = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}")


def make_sheet(client: Client) -> str:
    """Makes a sheet in the settings, as one who writes it down by hand: its code."""
    client.keys("Ctrl+5")
    client.press(named(said("Make a recovery sheet"), "Button"))
    client.wait(named(said("Save as PDF …"), "Button"))
    groups = [name for name in client.names("StaticText", said("Recovery sheet")) if _GROUP.fullmatch(name)]
    if len(groups) != 7:
        raise Failed(f"a sheet of {len(groups)} groups")
    client.press(named(said("Continue"), "Button"))
    client.wait_part(said("Group {n}", n=""), "EditableText", said("Recovery sheet"))
    for number, group in enumerate(groups, start=1):
        field = named(said("Group {n}", n=number), "EditableText")
        if client.exists(field):
            client.enter(field, group)
    client.press(named(said("Make it my sheet"), "Button"))
    client.wait_part(said("The recovery sheet is in force"))
    return "-".join(groups)


def revoke_devices(stage: Stage, name: str) -> None:
    """What IT support does when a person calls: all devices in that name."""
    for line in stage.admin("devices", name, "--data", str(stage.data)).splitlines():
        device = json.loads(line)
        if not device["revoked"]:
            ids = ("--person", device["person"], "--device", device["device"])
            stage.admin("revoke", *ids, "--data", str(stage.data))


def come_back(client: Client, address: str, code: str, sheet: str, name: str) -> None:
    """First start, by a new activation code and the sheet."""
    client.start()
    client.press(named(said("I have lost my computer"), "Button"))
    view = said("Back after losing a computer")
    client.enter(named(said("Server address or link"), "EditableText", view), address)
    client.enter(named(said("Activation code"), "EditableText", view), code)
    client.enter(named(said("Code of the recovery sheet"), "EditableText", view), sheet)
    client.press(named(said("Continue"), "Button"))
    client.wait_part(name, within=view)
    client.enter(named(said("Passphrase"), "EditableText", view), PASSPHRASE)
    client.enter(named(said("The passphrase once more"), "EditableText", view), PASSPHRASE)
    client.press(named(said("Begin"), "Button"))
    opened(client)
