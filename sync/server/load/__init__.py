# SPDX-License-Identifier: EUPL-1.2
"""Who may use how much of the server: budgets of processor time, queues, the entrance before sign-in."""
