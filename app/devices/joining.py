# SPDX-License-Identifier: EUPL-1.2
"""Whose account a new device is about to get, as the device that has it says: shown before anything is made."""

from dataclasses import dataclass

from sync.trust.agency import decode_record
from sync.trust.pairing import OldDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """The account's person, by the other device's word (verified when this one is in); `digits` to compare, "" by code;
    `device` is what this one is to be called."""

    name: str
    title: str
    unit: str
    server: str
    device: str
    digits: str


def met(old: OldDevice, *, server: str, device: str, digits: str) -> Met:
    """From what the other device said."""
    record = decode_record(old.record)
    return Met(
        name=record.get("name", ""),
        title=record.get("title", ""),
        unit=record.get("unit", ""),
        server=server,
        device=device,
        digits=digits,
    )
