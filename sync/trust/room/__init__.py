# SPDX-License-Identifier: EUPL-1.2
"""A room's single stream of entries and envelopes, and the rules by which each position is judged."""
