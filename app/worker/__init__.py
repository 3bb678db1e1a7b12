# SPDX-License-Identifier: EUPL-1.2
"""A process of its own in which colleagues' changes are tried before this program merges them.

`client.Worker` starts it and asks; `serve` is what runs in it; `frames` is what they say to each other.
"""
