# SPDX-License-Identifier: EUPL-1.2
"""Where the server keeps what it was given: a Protocol, and its implementations in memory and in SQL."""
