# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/own-1-objects.json: the changes of a person's own objects, of two years and three devices, with
what counts of them at a device that has the positions in `room` (each with its hash) of the room of all `series`, and
in whose log the person has `devices`. Kept to show what is in it."""

import json
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pycrdt

from app.core.ids import DevId, ObjId
from app.objects.pieces import PAYLOAD, Whole
from app.own.drafts import OwnDraft
from app.own.joining import JOINS
from app.own.model import ROOTS
from tests.app.own.devices import DAY_MS, NOVEMBER, Device, Server, named

HERE = Path(__file__).parent
CHATS = [ObjId(bytes([letter]) * 16) for letter in b"abc"]
PLACE = CHATS[0].hex()
DEVICES = [bytes([number]).hex() * 16 for number in range(1, 5)]
HEAD = 60
"""The last position of the conversations' room that the reading device has."""


def _meet(server: Server, *devices: Device) -> None:
    for device in devices:
        device.own.flush()
    server.meet(*devices)


def two_years() -> tuple[Device, Server]:
    """Reads, one thing marked as unread, values that were set apart, drafts that were written apart, over New Year."""
    folder, server = Path(mkdtemp()), Server()
    home, office, third = (Device(folder / str(n), n) for n in (1, 2, 3))
    for device in (home, office, third):
        device.follow(HEAD)
    home.reads.read(CHATS[0], 40, left=[7, 12])
    office.reads.read(CHATS[0], 25)
    office.reads.read(CHATS[1], 3)
    office.settings.set("theme", "dark")
    home.rooms.set(f"{'61' * 16}/favourite", True)
    home.rooms.set(f"{'61' * 16}/section", "ff" * 8)
    home.own.put("sections", f"{'ff' * 8}/title", [home.now_ms, "Överklaganden 🙂"])
    _meet(server, home, office, third)
    third.reads.unread(CHATS[0], 12)
    home.reads.read(CHATS[0], 50)
    home.drafts.put(PLACE, "Hej å")
    _meet(server, home, third)
    office.drafts.put(PLACE, "Skrivet på resan 🙂")
    office.now_ms += 8 * DAY_MS
    office.reads.read(CHATS[2], 9, left=[4])
    office.settings.set("theme", "light")
    home.settings.set("theme", "system")
    home.own.put("notices", "aa" * 16, [0, 1, 0])
    office.own.put("notices", "aa" * 16, [0, 2, 1_795_600_000_000])
    home.own.put("notices", "bb" * 16, [1, 1, 0])
    office.own.put("notices", "bb" * 16, [0, 4, 0])
    _meet(server, office, home, third)
    for name, by, state, at in (("ee", home, 0, 60), ("ee", office, 1, 60), ("ff", home, 0, 90), ("ff", third, 0, 30)):
        by.own.put("reminders", name * 16, _reminder(int(name == "ff" and by is home), state, at))
    _meet(server, office, home, third)
    third.drafts.put(CHATS[1].hex(), "Svarar i morgon")
    _meet(server, third, home)
    home.drafts.put(CHATS[1].hex(), "", over=tuple(home.drafts.others(CHATS[1].hex())))
    for device in (home, third):
        device.now_ms += 60 * DAY_MS
    home.reads.read(CHATS[1], 30)
    third.rooms.set(f"{'61' * 16}/favourite", False)
    _meet(server, home, third)
    office.reads.read(CHATS[1], 28, left=[26])  # late, into the object of the year before
    _meet(server, office, home, third)
    _meet(server, office, home, third)
    _meet(server, office, home, third)
    return home, server


def _reminder(generation: int, state: int, minutes: int) -> list[Any]:
    """A reminder of a message, so many minutes after the start."""
    at, day = NOVEMBER + minutes * 60_000, NOVEMBER // DAY_MS
    return [generation, state, at, day, "61" * 16, "62" * 16, "chat", "63" * 16]


def strange() -> tuple[Device, Server]:
    """Values that are none, fields and roots of a newer program, equal stamps, and a map that another device replaced:
    each counts as the page says."""
    server, home = Server(), Device(Path(mkdtemp()), 1)
    home.follow(HEAD)
    home.reads.read(CHATS[0], 5)
    home.settings.set("theme", "dark")
    _meet(server, home)
    doc: Any = pycrdt.Doc()
    for root in (*ROOTS, "newer"):
        doc[root] = pycrdt.Map()
    other, none = DevId(b"\x02" * 16).hex(), DevId(b"\xee" * 16).hex()
    home.room.known = DEVICES
    stamp = home.now_ms
    with doc.transaction():
        doc["newer"]["ett"] = "Ring å 🙂"
        doc["reads"][other] = pycrdt.Map(
            {
                CHATS[0].hex(): [0, 9, named(9), [2], "ett nytt fält"],
                CHATS[1].hex(): [0, -1, named(0)],
                CHATS[2].hex(): [True, 3, named(3)],
                "a" * 201: [0, 7, named(7)],
                "week": 2961,
            }
        )
        doc["settings"][other] = pycrdt.Map({"theme": [stamp, "light", "nytt"], "language": "en", "å": [stamp, None]})
        doc["drafts"][other] = pycrdt.Map(
            {
                PLACE: [stamp, {"text": "å", "reply": "ff"}, {}],
                "b": [stamp, {"text": 5}, {}],
                "c": [stamp, {"text": "ö"}, {other: stamp}],
                "d": [stamp, {"text": "ä"}, 5],
            }
        )
        doc["notices"][other] = pycrdt.Map({"cc" * 16: [0, 1], "dd" * 16: [0, 4, 0, "nytt"]})
        reminders = {"11" * 16: [0, 0, -1, 1], "22" * 16: [0, 0, stamp], "33" * 16: [*_reminder(0, 0, 5), "nytt"]}
        doc["reminders"][other] = pycrdt.Map(
            {**reminders, "ingen id": _reminder(0, 0, 5), "44" * 16: _reminder(0, 7, 5)}
        )
        doc["rooms"][other] = "ingen karta"
        doc["reads"][none] = pycrdt.Map({CHATS[0].hex(): [3, 20, named(20)]})
        doc["settings"][none] = pycrdt.Map({"theme": [stamp + 5, "dark"]})
        doc["drafts"][none] = pycrdt.Map({PLACE: [stamp + 5, {"text": "Ingens å"}, {other: stamp}]})
    server.put_strange(home, PAYLOAD.encode(Whole(update=bytes(doc.get_update()))))
    server.meet(home)
    return home, server


def unreached() -> tuple[Device, Server]:
    """Read marks that do not count: further than the room is at the reader, with another hash than the room's, or with
    none. The next lower mark counts. A mark at position 0 counts in every room."""
    server, home = Server(), Device(Path(mkdtemp()), 1)
    home.follow(HEAD)
    home.reads.read(CHATS[0], 40)
    home.reads.read(CHATS[1], 20, left=[3])
    home.reads.unread(CHATS[2], 0)
    _meet(server, home)
    doc: Any = pycrdt.Doc()
    doc["reads"] = pycrdt.Map()
    marks = {
        CHATS[0].hex(): ([0, HEAD + 1, named(HEAD + 1)], [7, 2**52, "ab" * 8], [0, 50, named(50), [12]]),
        CHATS[1].hex(): ([0, 30, named(29)], [2, 30, named(30).upper()], [0, 30]),
        CHATS[2].hex(): ([2, 0, named(0)], [3, 0, "ab" * 8], [2, 5, named(6)]),
    }
    with doc.transaction():
        for number in range(3):
            dev = DevId(bytes([number + 2]) * 16).hex()
            doc["reads"][dev] = pycrdt.Map({key: values[number] for key, values in marks.items()})
    server.put_strange(home, PAYLOAD.encode(Whole(update=bytes(doc.get_update()))))
    server.meet(home)
    return home, server


def _counts(device: Device) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for root in ROOTS:
        keys = sorted(device.own.keys(root))
        if root == "drafts":
            found[root] = {key: drafts for key in keys if (drafts := [_draft(d) for d in device.drafts.at(key)])}
        elif root in JOINS:
            found[root] = {key: value for key in keys if (value := device.own.value(root, key)) is not None}
    return found


def _draft(draft: OwnDraft) -> list[Any]:
    return [draft.dev, draft.stamp, {"text": draft.text, **draft.aside}]


def case(name: str, device: Device, server: Server) -> dict[str, Any]:
    objects: dict[str, list[Any]] = {}
    own = {row.obj for row in device.store.objects.all(kind="own")}
    for change in server.log:
        if change.obj in own:
            objects.setdefault(change.obj.hex(), []).append([change.uid.hex(), change.payload.hex()])
    years = sorted(model.year or 0 for model in device.own.objects())
    return {
        "name": name,
        "objects": objects,
        "years": years,
        "devices": DEVICES,
        "room": [named(n) for n in range(HEAD + 1)],
        "series": [chat.hex() for chat in CHATS],
        "counts": _counts(device),
    }


def main() -> None:
    cases = [case("two years", *two_years()), case("strange", *strange()), case("unreached", *unreached())]
    lines = ",\n".join(json.dumps(each, ensure_ascii=False, sort_keys=True) for each in cases)
    (HERE / "own-1-objects.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
