# SPDX-License-Identifier: EUPL-1.2
"""Versions of the wire and the limits that both ends hold."""

WIRE_MIN = 1
WIRE_MAX = 1

MAX_FRAME_BYTES = 2 * 1024 * 1024
"""A larger frame closes the connection; batches and pulls stay well below it."""

MAX_BATCH_ITEMS = 256
MAX_BATCH_BYTES = 1024 * 1024
MAX_OP_BYTES = 256 * 1024
MAX_ENTRY_BYTES = 512 * 1024
MAX_PAYLOAD_BYTES = 192 * 1024
"""A larger payload travels as a blob and the envelope carries its manifest."""

MAX_PULL_BYTES = 1024 * 1024
PART_BYTES = 4 * 1024 * 1024
CLOCK_TOLERANCE_MS = 120_000
