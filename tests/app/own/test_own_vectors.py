# SPDX-License-Identifier: EUPL-1.2
"""Every later version reads the vectors of the first: tests/vectors/own-1-objects.json."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.ids import ChangeId, DevId, ObjId
from app.own.joining import JOINS
from app.store import series
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.own.devices import NOVEMBER, TALKS, Device, Server
from tests.office import HL, ROOM

CASES = json.loads((Path(__file__).parents[2] / "vectors/own-1-objects.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_counts_of_the_vectors_is_what_counted_when_they_were_made(tmp_path: Path, case: Any) -> None:
    device, server = Device(tmp_path, 9), Server()
    device.room.known = case["devices"]
    with device.store.transaction() as conn:
        for key in case["series"]:
            series.announce(conn, TALKS, ObjId(bytes.fromhex(key)), None, None, row=0, n=1, t=NOVEMBER)
    positions = [(n, bytes.fromhex(named).ljust(32)) for n, named in enumerate(case["room"]) if n]
    device.store.receive(ReceivedSlice(room=TALKS, cursor=len(positions), state=b"", positions=positions))
    for obj in case["objects"]:
        device.announce(ROOM, ObjId(bytes.fromhex(obj)), "own")
    server.meet(device)
    for obj, changes in case["objects"].items():
        for _, data in changes:
            n = len(server.log) + 1
            change = OpenedChange(
                n=n,
                t=NOVEMBER,
                uid=HL,
                dev=DevId(b"V" * 16),
                obj=ObjId(bytes.fromhex(obj)),
                change_id=ChangeId(n.to_bytes(16, "big")),
                payload=bytes.fromhex(data),
            )
            server.log.append(change)
    server.meet(device)
    assert sorted(model.year or 0 for model in device.own.objects()) == case["years"]
    for root, counts in case["counts"].items():
        if root in JOINS:
            assert {key: v for key in device.own.keys(root) if (v := device.own.value(root, key))} == counts
    drafts = {key: device.drafts.at(key) for key in device.own.keys("drafts")}
    shown = {key: [[d.dev, d.stamp, {"text": d.text, **d.aside}] for d in each] for key, each in drafts.items() if each}
    assert shown == case["counts"]["drafts"]
    device.close()
