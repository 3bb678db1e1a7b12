# SPDX-License-Identifier: EUPL-1.2
"""Rich text that several people edit at once: blocks, formats, the CRDT behind them, merging. Knows no tool."""
