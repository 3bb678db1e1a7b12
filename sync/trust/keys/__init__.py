# SPDX-License-Identifier: EUPL-1.2
"""The keys of a room's epochs, and the Merkle tree that commits to their recipients."""
