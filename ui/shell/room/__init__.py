# SPDX-License-Identifier: EUPL-1.2
"""One room: its header, its members, its bars and the dialogs about it."""
