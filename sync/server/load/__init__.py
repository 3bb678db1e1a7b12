# SPDX-License-Identifier: EUPL-1.2
"""Limits on how much of the server a device, person or address may use: budgets of processor time, queues, the entrance
before sign-in."""
