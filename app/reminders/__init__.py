# SPDX-License-Identifier: EUPL-1.2
"""Reminders: what the person wants to be reminded of, and when, on all their devices."""
