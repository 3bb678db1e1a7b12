# SPDX-License-Identifier: EUPL-1.2
"""Documents: from a key to the disk, and opening one with a long history."""

import asyncio
import os
import random
import time
from unittest import mock

from app.bootstrap import Office
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.crdt import CrdtDoc
from app.profile import DEFAULT, Profile
from app.richtext.model import Document
from tests.bench.office import CACHE, HANDLER, environment, scratch
from tests.bench.registry import Figure, bench, median
from tests.bench.sending import two_desks

KEYS = 1000
EDITS = 260_000
RUN = 40
OPENINGS = 7
_WORDS = "Sökanden har kommit in med en komplettering åäö. "
_SEED = 20261125


@bench("key_to_disk_ms")
def key_to_disk() -> list[Figure]:
    """One letter typed in an open document: the model, the CRDT, the change and its outbox row, one durable commit."""
    with scratch() as folder:
        with two_desks(folder) as (_, _, room):
            pass
        with mock.patch.dict(os.environ, environment(folder, HANDLER)):
            samples = asyncio.run(_type(RoomId(bytes.fromhex(room))))
    note = "Document.splice of one letter to the commit's return, one process, the server away"
    return [Figure(name="key_to_disk_ms", value=median(samples), unit="ms", n=len(samples), note=note)]


async def _type(room: RoomId) -> list[float]:
    profile = Profile.open(DEFAULT)
    session = await Office(profile).unlock_raw()
    assert session is not None
    obj = session.service(DOCUMENTS).create(room, "Beslut")
    document = session.service(DOCUMENTS).open(obj)
    samples = []
    for n in range(KEYS):
        letter = _WORDS[n % len(_WORDS)]
        began = time.perf_counter()
        document.splice(n, 0, letter)
        samples.append((time.perf_counter() - began) * 1e3)
        if n % 20 == 19:
            await asyncio.sleep(0)
    await session.close()
    profile.close()
    return samples[KEYS // 10 :]


def _long_history() -> bytes:
    """The state of a text after 260,000 single edits: mostly typing in runs, a tenth of it deleting."""
    kept = CACHE / f"history-{EDITS}-{_SEED}.bin"
    if kept.exists():
        return kept.read_bytes()
    rng, crdt = random.Random(_SEED), CrdtDoc(texts=["text"], maps=["meta"])
    text = crdt.text("text")
    text.insert(0, "\n")
    size = at = 0
    for _ in range(EDITS // RUN):  # the caret goes elsewhere; a run is one transaction, or this takes minutes
        at = rng.randrange(size + 1)
        with crdt.transact():
            for _ in range(RUN):
                if size > at and rng.random() < 0.1:
                    text.delete(at, 1)
                    size -= 1
                else:
                    text.insert(at, "\n" if rng.random() < 0.01 else rng.choice("etaonirsdlmkgv "))
                    at, size = at + 1, size + 1
    CACHE.mkdir(parents=True, exist_ok=True)
    state = crdt.diff()
    kept.write_bytes(state)
    return state


@bench("open_260k_edits_ms")
def open_260k_edits() -> list[Figure]:
    """From the stored state to a document whose blocks can be read."""
    state = _long_history()
    samples = []
    for _ in range(OPENINGS):
        began = time.perf_counter()
        document = Document()
        document.merge([state])
        blocks = len(document.blocks())
        samples.append((time.perf_counter() - began) * 1e3)
        document.close()
    note = f"{len(state) // 1024} KiB of state, {blocks} blocks: merged through app/objects/crdt and mirrored"
    return [Figure(name="open_260k_edits_ms", value=median(samples), unit="ms", n=OPENINGS, note=note)]
