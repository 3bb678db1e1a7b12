# SPDX-License-Identifier: EUPL-1.2
"""What an engine is made of: the seam for tests of sync/client and for benches. The application does not use it."""

from dataclasses import dataclass

from sync.client.exchange.blob_transfer import Blobs
from sync.client.exchange.inbox import Inbox
from sync.client.exchange.member_audit import Audit
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.outbox import Outbox
from sync.client.exchange.receipt_verifier import ReceiptVerifier
from sync.client.exchange.rotation_schedule import Schedule
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.link import Link
from sync.client.restore.reupload import Reuploader


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParts:
    """The working parts of one engine (inbox, outbox, receipt verifier and so on), the same objects for as long as it
    lives. The engine gives them to its session and its other helpers in this form.

    Tests also read here what no application needs (a room's epochs and pins, the account's secrets), and give a part
    what only a false server would send. ▲ `link` has the account's keys, so nothing in app/ or ui/ uses the parts
    (tests/test_layers.py).
    """

    link: Link
    verifier: ReceiptVerifier
    inbox: Inbox
    outbox: Outbox
    seals: Seals
    snapshots: Snapshots
    audit: Audit
    reuploader: Reuploader
    schedule: Schedule


def make_parts(link: Link, blobs: Blobs) -> EngineParts:
    """Makes the parts of an engine and connects them with each other. `link` has the account, the store and the rooms;
    `blobs` transfers the rooms' files."""
    verifier, seals, snapshots = ReceiptVerifier(link), Seals(link), Snapshots(link)
    inbox = Inbox(link, verifier, seals, snapshots)
    outbox = Outbox(link, verifier, inbox.pull_again)
    return EngineParts(
        link=link,
        verifier=verifier,
        inbox=inbox,
        outbox=outbox,
        seals=seals,
        snapshots=snapshots,
        audit=Audit(link),
        reuploader=Reuploader(
            link, verifier, inbox.recheck_head, outbox.opened, blobs.reupload_lost, link.own_log_moved.set
        ),
        schedule=Schedule(link),
    )
