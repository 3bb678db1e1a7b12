# SPDX-License-Identifier: EUPL-1.2
"""How the address of a server is written where client and server must write it alike: in the hello, in what a sign-in
signs, and in a policy's list of servers. Says nothing of which addresses are allowed."""

import ipaddress


def host_name(host: str) -> str:
    """The host of an address as it is written there: lower case; an IPv6 address in its shortest form and in brackets,
    whether or not `host` has them."""
    plain = host.removeprefix("[").removesuffix("]").lower()
    if ":" not in plain:
        return plain
    try:
        return f"[{ipaddress.IPv6Address(plain)}]"
    except ValueError:
        return f"[{plain}]"


def address_name(host: str, port: int) -> str:
    """The address `host:port`, with the host as `host_name` writes it."""
    return f"{host_name(host)}:{port}"
