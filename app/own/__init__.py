# SPDX-License-Identifier: EUPL-1.2
"""What is the person's own: the room of one's own in which it lies, and how that room is cleared of old changes."""
