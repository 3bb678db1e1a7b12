# SPDX-License-Identifier: EUPL-1.2
"""Versions of the wire and the limits that both ends hold."""

PROGRAM = "0.1.0"
"""The version of client and server as it is released and shown, pyproject.toml's; says nothing of what they speak."""

WIRE_MIN = 3
WIRE_MAX = 3

MAX_FRAME_BYTES = 2 * 1024 * 1024
"""A larger frame closes the connection; batches and pulls stay well below it."""

MAX_BATCH_ITEMS = 256
MAX_BATCH_BYTES = 1024 * 1024
MAX_OP_BYTES = 256 * 1024
MAX_ENTRY_BYTES = 512 * 1024
MAX_USER_ENTRY_BYTES = 128 * 1024
"""Largest entry of a person's log. An entry with a seal for each of the most devices of a person takes 80 KiB."""
MAX_TIME_MS = 253_370_764_800_000
"""The beginning of the year 9999 (UTC). Python's `datetime` ends with that year, so that a later time could not be
shown."""
MAX_PAYLOAD_BYTES = 192 * 1024
"""A larger payload travels as a blob and the envelope carries its manifest."""

MAX_PULL_BYTES = 1024 * 1024
MAX_CONTENTS = 4096
PART_BYTES = 4 * 1024 * 1024
CLOCK_TOLERANCE_MS = 120_000
"""Ephemerals: their time against the server's, as the handshake measured it. Not against this machine's clock."""
SIGN_IN_CLOCK_TOLERANCE_MS = 600_000
"""How far a client's clock may be off at sign-in, on both ends: an office PC that has not asked a time server for
weeks is minutes off and does no harm, since positions carry the server's time and ephemerals the measured offset."""
MAX_RECEIPTS = 8192
"""Receipts that one sign-in carries at most: about 1.2 MB of its one frame."""

PAIR_BOX_BYTES = 16
PAIR_NUMBER_DIGITS = 9
PAIR_MESSAGE_BYTES = 8192
"""Where an old and a new device meet, and what one of them may say at a time."""
