# SPDX-License-Identifier: EUPL-1.2
"""A separate process in which colleagues' changes are tried before this program merges them.

`client.Worker` starts it and asks it; `serve` runs in it; `frames` are their messages.
"""
