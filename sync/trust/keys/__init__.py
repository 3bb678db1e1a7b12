# SPDX-License-Identifier: EUPL-1.2
"""Keys of a room's epochs, and the tree that commits to who received them."""
