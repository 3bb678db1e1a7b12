# SPDX-License-Identifier: EUPL-1.2
"""What is kept of a received file stays while a message that is not deleted names it, and goes with the last one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.chat.records import Attachment, MessageDeleted, MessageSent, encode
from app.core.ids import PartId, Uid
from app.store.cached_parts import WantedPart
from sync.trust.room.blob_manifest import Manifest, Part, encrypt_part
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk, from_others


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def parts_of_a_file() -> list[Part]:
    return [encrypt_part(ROOM, bytes([n]) * 1000, last=n == 1)[0] for n in range(2)]


def message(*parts: Part) -> bytes:
    """A message with a file of these parts."""
    manifest = Manifest(sum(part.length for part in parts), parts).encode()
    file = Attachment(name="Beslut å.docx", size_bytes=1, media_type="x/y", manifest=manifest)
    return encode(MessageSent(text="Här", attachments=(file,)))


def keep(at: Desk, parts: list[Part]) -> None:
    """Keeps the parts offline."""
    wanted = [WantedPart(part=PartId(p.part), room=ROOM, obj=CHANNEL, digest=p.digest, size=1000) for p in parts]
    at.store.cached.pin(wanted)


def kept(at: Desk, parts: list[Part]) -> list[bool]:
    pinned = at.store.cached.pinned([part.digest for part in parts])
    return [part.digest in pinned for part in parts]


def delete(at: Desk, uid: Uid, row: int, n: int) -> None:
    target = at.chat.timeline(ROOM).message(row).change_id
    from_others(at, uid, CHANNEL, [encode(MessageDeleted(target=target))], n=n, t=n * 1000)


def test_attack_a_colleague_s_file_that_is_posted_again_and_deleted_stays_kept(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts)], n=2, t=2000)
    keep(hl, parts)
    from_others(hl, RG, CHANNEL, [message(*parts), message(parts[1])], n=3, t=3000)
    delete(hl, RG, 1, 5)
    delete(hl, RG, 2, 6)
    assert kept(hl, parts) == [True, True]
    delete(hl, EK, 0, 7)
    assert kept(hl, parts) == [False, False]


def test_what_a_second_message_names_of_a_deleted_one_stays(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts), message(parts[0])], n=2, t=2000)
    keep(hl, parts)
    delete(hl, EK, 0, 5)
    assert kept(hl, parts) == [True, False]


def test_of_two_messages_with_the_same_file_either_keeps_it(hl: Desk) -> None:
    parts = parts_of_a_file()
    from_others(hl, EK, CHANNEL, [message(*parts), message(*parts)], n=2, t=2000)
    keep(hl, parts)
    delete(hl, EK, 0, 5)
    assert kept(hl, parts) == [True, True]
    assert hl.store.db.value("SELECT count(*) FROM chat_file_parts") == 2
