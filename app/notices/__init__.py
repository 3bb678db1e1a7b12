# SPDX-License-Identifier: EUPL-1.2
"""Notices: what colleagues did that concerns this person, and states that wait for this person's action."""
