# SPDX-License-Identifier: EUPL-1.2
"""An update that fits into one change, as that change's data."""

from app.objects.pieces import encode


def one_change(update: bytes, begun: bytes = b"") -> bytes:
    """The data. ValueError for an update that goes in pieces."""
    (data,) = encode(update, begun=begun)
    return data
