# SPDX-License-Identifier: EUPL-1.2
"""Versions of the wire, and the limits that both ends enforce."""

PROGRAM = "0.1.0"
"""The released version of client and server, which is also in pyproject.toml. It is independent of the wire's
version."""

WIRE_MIN = 4
WIRE_MAX = 4

MAX_FRAME_BYTES = 2 * 1024 * 1024
"""A larger frame closes the connection; batches and pulls stay well below this size."""

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
"""A larger payload is sent as a blob, and the envelope carries the blob's manifest."""

MAX_PULL_BYTES = 1024 * 1024
MAX_CONTENTS = 4096
MAX_SUBSCRIBED = 1000
"""Most rooms in one request for their new items."""
MAX_KNOWN_LOGS = 2000
"""Most people in one request for the key logs that have newer entries (`MovedLogs`): 50 KB."""
PART_BYTES = 4 * 1024 * 1024
CLOCK_TOLERANCE_MS = 120_000
"""How far an ephemeral's time may differ from the server's clock, as the handshake measured it. This machine's own
clock is not used."""
SIGN_IN_CLOCK_TOLERANCE_MS = 600_000
"""How far a client's clock may differ at sign-in; both ends check it. An office PC that has not asked a time server for
weeks is minutes off and does no harm, since positions carry the server's time and ephemerals the measured offset."""
MAX_RECEIPTS = 8192
"""Most receipts in one sign-in: about 1.2 MB of its one frame."""

PAIR_BOX_BYTES = 16
PAIR_NUMBER_DIGITS = 9
PAIR_MESSAGE_BYTES = 8192
"""Sizes of the box through which an old and a new device exchange pairing messages, and of one such message."""
PAIR_MESSAGES = 24
"""Most messages of one box. A pairing takes four, and two more for each try of the old device that finds its log grown:
at most 20, since it tries eight times (`compare_and_swap.TRIES`). The other four leave room for a second yes after a
conflict at each of these tries."""
