# SPDX-License-Identifier: EUPL-1.2
"""The main window around everything: rail, lists, search, palette, status bar, notifications."""
