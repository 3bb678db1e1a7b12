# SPDX-License-Identifier: EUPL-1.2
"""Commands for the data itself: verify, back up, restore. They need no keys but the server's own."""
