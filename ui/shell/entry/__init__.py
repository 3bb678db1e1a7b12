# SPDX-License-Identifier: EUPL-1.2
"""The pages before a person is signed in: first start, unlocking, recovery."""
