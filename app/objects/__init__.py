# SPDX-License-Identifier: EUPL-1.2
"""What the objects of all tools share: kinds, payloads, links, CRDT documents."""
