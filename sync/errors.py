# SPDX-License-Identifier: EUPL-1.2
"""Everything that can go wrong in sync/, each with a stable code.

SyncError
├── WorldError      the world's fault: shown to a person, often retried
│   ├── Unreachable · CertificateRefused · TooOld · ClockOff · WrongAgency · Refused(code from the server) · Ended
│   ├── ProxyFailed, TooSlow (each an Unreachable) · Outdated (a TooOld)
│   ├── ProxyWantsName · ProxyUnnamed · NoProxyScript · AddressForbidden
│   └── NoAddress · ServerNotNamed, ServerUnproven (each an OfServer, with its address)
├── Reject          a signed or sealed thing does not check; `code` says which rule, never the content
├── NeedLog         not a verdict: a user log must be fetched before this item can be judged
└── BugError        our own fault: reported
"""

from sync.ids import Uid


class SyncError(Exception):
    """Root of the tree. `code` is stable and goes to logs, support and ui/errors.py."""

    code: str = "sync"


class WorldError(SyncError):
    """A fault outside this program: network, certificates, clocks, another party's refusal."""


class Unreachable(WorldError):
    """No connection to the server could be made, or the connection was lost."""

    code = "unreachable"


class TooSlow(Unreachable):
    """The server sends or receives a file so slowly that the transfer was ended."""

    code = "too-slow"


class ProxyFailed(Unreachable):
    """The proxy could not be reached, is of no supported kind, or refused the connection."""

    code = "proxy-failed"


class ProxyWantsName(WorldError):
    """The proxy asks for a name and a password. Kansli stores neither."""

    code = "proxy-auth"


class ProxyUnnamed(WorldError):
    """The settings ask for a proxy or a PAC script and name none: no connection is made."""

    code = "proxy-missing"


class NoProxyScript(WorldError):
    """The settings ask for a PAC script, and this system cannot run one: no connection is made."""

    code = "proxy-script"


class AddressForbidden(WorldError):
    """The organisation's rules do not allow a connection to this address."""

    code = "egress"


class NoAddress(WorldError):
    """The address of the account's server is not known, or the stored one is not an address."""

    code = "bad-address"


class OfServer(WorldError):
    """A fault of the one server at `address`."""

    why = ""

    def __init__(self, address: str) -> None:
        super().__init__(self.why)
        self.address = address


class ServerNotNamed(OfServer):
    """The organisation's policy does not name the account's server at `address` any more, and no server that it names
    has proved to be the same one."""

    code = "server-not-named"
    why = "not among the servers of policy"


class ServerUnproven(OfServer):
    """The server at `address` did not prove that it is the account's server: it lacks the key, or the address is not
    its own."""

    code = "server-unproven"
    why = "no proof of the server's key"


class CertificateRefused(WorldError):
    """The server's TLS certificate is not trusted; the program offers no way to accept it anyway."""

    code = "certificate"


class TooOld(WorldError):
    """The server speaks only newer protocol versions than this client."""

    code = "update-needed"


class Outdated(TooOld):
    """The server's operator asks for a newer release of this program."""

    code = "client-old"


class ClockOff(WorldError):
    """This machine's clock differs from the server's by more than the protocol allows."""

    code = "clock-off"


class WrongAgency(WorldError):
    """The server belongs to another agency than the pinned one, or the one in the activation code."""

    code = "wrong-agency"


class Refused(WorldError):
    """The server refused a request; `code` is one of `sync.protocol.messages.ErrorCode`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Ended(WorldError):
    """The server states that the person's log has ended this device; `entries` are the (body, sig) that prove it."""

    code = "ended"

    def __init__(self, entries: list[tuple[bytes, bytes]]) -> None:
        super().__init__("own log")
        self.entries = entries


class Reject(SyncError):
    """A signed, sealed or encoded thing breaks a rule. `where` names a position or field, never content."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code} at {where}" if where else code)
        self.code = code
        self.where = where


class NeedLog(SyncError):
    """The caller must fetch the user log of `uid` up to `seq` and then judge the same item again."""

    code = "need-log"

    def __init__(self, uid: Uid, seq: int) -> None:
        super().__init__(f"user log up to entry {seq}")
        self.uid = uid
        self.seq = seq


class BugError(SyncError):
    """A fault in this program: a broken invariant."""

    code = "bug"
