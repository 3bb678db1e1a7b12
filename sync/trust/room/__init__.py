# SPDX-License-Identifier: EUPL-1.2
"""A room's one stream of entries and envelopes, and the rules that judge each position."""
