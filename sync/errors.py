# SPDX-License-Identifier: EUPL-1.2
"""The two roots of all errors in sync/, app/ and ui/, and what can go wrong in sync/, each with a stable code.

WorldError                  a fault outside this program: shown to a person, often retried
└── SyncError               those of sync/; app/errors.py draws those of app/
    ├── Unreachable         TooSlow · ProxyFailed
    ├── TooOld              Outdated
    ├── OfServer            ServerNotNamed · ServerUnproven
    ├── CertificateRefused · ClockOff · WrongAgency · Refused · Ended
    ├── ProxyWantsName · ProxyUnnamed · NoProxyScript · AddressForbidden · NoAddress · BadAddress
    ├── Reject              a signed or encrypted thing breaks a rule
    └── NeedLog             a user log must be fetched before an item can be judged
BugError                    a fault in this program: reported

The server's errors are in its own modules, and descend from WorldError too. tests/test_error_trees.py compares each
drawn tree with the classes.
"""

from sync.ids import Uid


class WorldError(Exception):
    """A fault outside this program: network, disks, key stores, files, clocks, people, another party's refusal or
    mistake. `code` is stable and goes to logs, support and ui/errors/."""

    code: str = "world"


class BugError(Exception):
    """A fault in this program: a broken invariant."""

    code = "bug"


class SyncError(WorldError):
    """The base of all errors that sync/ raises for a fault outside this program."""

    code: str = "sync"


class Unreachable(SyncError):
    """No connection to the server could be made, the connection was lost, or no reply came in time. Also for a reply
    that is too long or compressed, and for a request while offline."""

    code = "unreachable"


class TooSlow(Unreachable):
    """The server sends or receives a file so slowly that the transfer was ended."""

    code = "too-slow"


class ProxyFailed(Unreachable):
    """The proxy could not be found or reached, is of no supported kind, has a password in its address, or refused the
    connection."""

    code = "proxy-failed"


class ProxyWantsName(SyncError):
    """The proxy asks for a name and a password. Kansli stores neither."""

    code = "proxy-auth"


class ProxyUnnamed(SyncError):
    """The settings ask for a proxy or a PAC script (which names the proxy for an address) and name none: no connection
    is made."""

    code = "proxy-missing"


class NoProxyScript(SyncError):
    """The settings ask for a PAC script, and this system cannot run one: no connection is made."""

    code = "proxy-script"


class AddressForbidden(SyncError):
    """The organisation's rules do not allow a connection to this address."""

    code = "egress"


class BadAddress(SyncError):
    """What a person or a policy wrote is no server's address, or asks for plain text where that is not allowed."""

    code = "bad-address"


class NoAddress(SyncError):
    """The address of the account's server is not known, or the stored one is not an address."""

    code = "bad-address"


class OfServer(SyncError):
    """The base of errors that concern one server, the one at `address` ("host:port")."""

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


class CertificateRefused(SyncError):
    """The server's TLS certificate is not trusted, or the file of trusted certificates cannot be used; the program
    offers no way to accept it anyway."""

    code = "certificate"


class TooOld(SyncError):
    """The server speaks no version of the protocol that this client speaks, mostly because it is newer."""

    code = "update-needed"


class Outdated(TooOld):
    """The server's operator asks for a newer release of this program."""

    code = "client-old"


class ClockOff(SyncError):
    """This machine's clock differs from the server's by more than the protocol allows (10 minutes)."""

    code = "clock-off"


class WrongAgency(SyncError):
    """The server belongs to another agency than the one whose key this account stores, or the one in the activation
    code."""

    code = "wrong-agency"


class Refused(SyncError):
    """The server refused a request; `code` is one of `sync.protocol.messages.ErrorCode`, or one of a newer server.
    `detail` names a field or position, for the log. The client raises it too, for what the server would refuse, or with
    a code of its own for what it refuses itself ("revoked", "not-seasoned")."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Ended(SyncError):
    """The server refuses to sign this device in, since its person's key log has ended it: it was revoked, or the
    account has ended. That is only claimed: `entries` are the (body, signature) of the log's entries that prove it, and
    the caller verifies them."""

    code = "ended"

    def __init__(self, entries: list[tuple[bytes, bytes]]) -> None:
        super().__init__("own log")
        self.entries = entries


class Reject(SyncError):
    """A thing that another party signed, encrypted or encoded breaks a rule, named by `code`. `where` names a position
    or field, never content."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code} at {where}" if where else code)
        self.code = code
        self.where = where


class NeedLog(SyncError):
    """An item cannot be judged, because it refers to an entry of the key log of the person `uid` that is not in memory
    here. The caller must load or fetch that log up to entry `seq` and then judge the same item again."""

    code = "need-log"

    def __init__(self, uid: Uid, seq: int) -> None:
        super().__init__(f"user log up to entry {seq}")
        self.uid = uid
        self.seq = seq
