# SPDX-License-Identifier: EUPL-1.2
"""Presence: whether colleagues can be reached. It is what this person chose to show, and what others have sent."""
