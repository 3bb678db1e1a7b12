# SPDX-License-Identifier: EUPL-1.2
"""The window around the tools: rail, room list, room, home, tasks, search, settings, unlock and first start."""
