# SPDX-License-Identifier: EUPL-1.2
"""Frames that give access to the parts of files, which travel over HTTP."""

from sync.protocol.messages.frame import Frame


class BlobToken(Frame, frozen=True, tag="blob-token"):
    """Asks for a bearer token, with which the encrypted parts of files are uploaded and fetched over HTTP (PUT and GET
    of /v1/blobs/{room}/{obj}/{part}, ids in hex)."""

    rid: int


class BlobTokenReply(Frame, frozen=True, tag="blob-token-reply"):
    rid: int
    bearer: str
    expires: int
