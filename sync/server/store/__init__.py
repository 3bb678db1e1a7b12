# SPDX-License-Identifier: EUPL-1.2
"""The server's store: a Protocol, and its implementations in memory and in SQL."""
