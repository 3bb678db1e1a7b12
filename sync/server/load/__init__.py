# SPDX-License-Identifier: EUPL-1.2
"""How much of the server a device or an address may use: budgets of processor time, queues, new connections."""
