# SPDX-License-Identifier: EUPL-1.2
"""Everything that reads bytes or text of others, each with inputs to begin with and the refusals that are its own.

A target gets past signatures where it can: what the fuzzer made is signed and sealed with the vectors' keys, so that a
hostile member's bytes reach the rules behind.
"""

from tests.fuzz import crdts, people, rooms, tools, wire

TARGETS = {
    target.name: target for target in (*wire.TARGETS, *people.TARGETS, *rooms.TARGETS, *tools.TARGETS, *crdts.TARGETS)
}
