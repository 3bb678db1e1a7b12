# SPDX-License-Identifier: EUPL-1.2
"""What an operator does for the data itself: verify it, back it up, restore it. No keys but the server's own."""
