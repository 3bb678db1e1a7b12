# SPDX-License-Identifier: EUPL-1.2
"""A server's address as people, links and policies write it."""

import pytest

from sync.client.wire.transport import ServerAddress
from sync.errors import BadAddress


@pytest.mark.parametrize("text", ["", "https://", "ftp://a.se", "a.se:99999", "http://a.se", "https://[a", "[::1"])
def test_text_that_is_no_address_raises_one_error(text: str) -> None:
    with pytest.raises(BadAddress):
        ServerAddress.parse(text)


def test_an_address_has_a_host_and_a_port() -> None:
    assert ServerAddress.parse(" a.se ").name == "a.se:443"
    assert ServerAddress.parse("HTTPS://[0:0:0::00A1]:1").name == "[::a1]:1"
    assert ServerAddress.parse("https://[::1]:1").url("ws", "/x") == "wss://[::1]:1/x"
