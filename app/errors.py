# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong in app/, each with a stable code. The sentences are in ui/errors/.

WorldError                  of sync/errors.py: a fault outside this program, shown to a person, often retried
├── StoreFault              StoreCorrupt · StoreOlder · StoreNewer · StoreMissing · DiskFull · StoreUnwritable
│                           StoreClosed · NotStored
├── UnlockFault             WrongPassphrase · KeyringLocked · NoKeyring · NoSlot · SlotDamaged · WeakPassphrase
│                           SlotForbidden · LastSlot
├── FileFault               FileTooLarge · BadFileName · FileUnreadable
├── NotEnrolled · ProfileInUse · BadProfileName · BadCaFile
├── ServerNotAllowed · ExportOff · SettingLocked · BadSetting
├── Offline · DataOnNetwork · DataOfAnother
├── WorkerDied · WorkerUnavailable
├── Forbidden · NotFound · TooManyTries · NotRevoked · ReturnWaits
└── BadChange               a received change cannot be projected; it is kept and counted, nothing stops
BugError                    of sync/errors.py: a fault in this program, reported

The tools draw their own: app/chat/errors.py, app/documents/errors.py.
"""

from sync.errors import BugError, WorldError

__all__ = ["BugError", "WorldError", "is_ours"]


class StoreFault(WorldError):
    """The encrypted database cannot be used as it is. Nothing has been changed."""


class StoreCorrupt(StoreFault):
    """The database is damaged, truncated or not sealed by this key."""

    code = "store-corrupt"


class StoreOlder(StoreFault):
    """The database was written by a version from before 1.0 that had another layout."""

    code = "store-older"


class StoreNewer(StoreFault):
    """The database was written by a newer version of the program."""

    code = "store-newer"


class StoreMissing(StoreFault):
    """The profile has no database."""

    code = "store-missing"


class StoreUnwritable(StoreFault):
    """The disk refuses to read or write (rights, I/O error, a lock held by another program)."""

    code = "store-unwritable"


class StoreClosed(StoreFault):
    """The store is closed: Kansli is being locked or ended."""

    code = "store-closed"


class NotStored(StoreFault):
    """Something that a person wrote is only in memory, although the disk refused nothing: a fault of this program,
    which is reported where it happens, keeps it there."""

    code = "not-stored"


class DiskFull(StoreFault):
    """There is no space left on the disk; the transaction was rolled back."""

    code = "disk-full"


class UnlockFault(WorldError):
    """A key slot could not be opened or made."""


class WrongPassphrase(UnlockFault):
    """The passphrase does not open the slot."""

    code = "wrong-passphrase"


class KeyringLocked(UnlockFault):
    """The operating system's key store is locked or did not answer: wait and ask, never wipe."""

    code = "keyring-locked"


class NoKeyring(UnlockFault):
    """This machine has no key store to use: offer the passphrase."""

    code = "no-keyring"


class NoSlot(UnlockFault):
    """The asked kind of key slot does not exist in this profile."""

    code = "no-slot"


class SlotDamaged(UnlockFault):
    """A key slot's file is damaged, truncated or from a newer version."""

    code = "slot-damaged"


class WeakPassphrase(UnlockFault):
    """The new passphrase is shorter, or easier to guess, than the machine's policy permits."""

    code = "weak-passphrase"


class SlotForbidden(UnlockFault):
    """The machine's policy does not allow this kind of key slot."""

    code = "slot-forbidden"


class LastSlot(UnlockFault):
    """The last key slot cannot be removed: nobody could open the profile again."""

    code = "last-slot"


class NotEnrolled(WorldError):
    """An enrolment ended before the account's keys were kept: there is nothing to resume."""

    code = "not-enrolled"


class ProfileInUse(WorldError):
    """Another process has this profile open."""

    code = "profile-in-use"


class BadProfileName(WorldError):
    """A profile's name holds characters that cannot be a folder's name everywhere."""

    code = "bad-profile-name"


class DataOnNetwork(WorldError):
    """The folder of all profiles is on another machine's disk, where the database is not safe."""

    code = "data-on-network"


class DataOfAnother(WorldError):
    """The folder of all profiles, or one in it, was made by another user, or everybody may write in it."""

    code = "data-of-another"


class FileFault(WorldError):
    """A file that a person chose cannot be used. `file` is its name if it was one of several, "" otherwise. The name is
    not in the exception's text, which a log may have."""

    file: str = ""


class FileTooLarge(FileFault):
    """The file is larger than rooms accept."""

    code = "file-too-large"


class BadFileName(FileFault):
    """A file name holds a path or control characters."""

    code = "bad-file-name"


class FileUnreadable(FileFault):
    """The chosen file cannot be read or written."""

    code = "file-unreadable"


class Offline(WorldError):
    """The action needs the server, and there is no connection now."""

    code = "offline"


class TooManyTries(WorldError):
    """Three comparisons of digits failed within an hour: wait an hour, or use a code."""

    code = "too-many-tries"


class NotRevoked(WorldError):
    """This device is not revoked by its own copy of the person's log, so nothing of it is erased."""

    code = "not-revoked"


class Forbidden(WorldError):
    """The person's role in the room does not allow the action."""

    code = "forbidden"


class NotFound(WorldError):
    """The thing that was asked for is not here (any more)."""

    code = "not-found"


class ReturnWaits(WorldError):
    """The person recovers their account by the recovery sheet and must wait: another device of theirs may object until
    `ready_ms`."""

    code = "waits"

    def __init__(self, ready_ms: int) -> None:
        super().__init__()
        self.ready_ms = ready_ms


class BadCaFile(WorldError):
    """The file with the agency's certificates, which policy or the settings name, is missing or holds none."""

    code = "bad-ca-file"


class ServerNotAllowed(WorldError):
    """The machine's policy names the servers that may be used, and this one is not among them."""

    code = "server-not-allowed"


class ExportOff(WorldError):
    """The machine's policy lets nothing be saved outside the program."""

    code = "export-off"


class SettingLocked(WorldError):
    """The machine's policy has fixed this setting."""

    code = "setting-locked"


class BadSetting(WorldError):
    """The setting does not accept the value."""

    code = "bad-setting"


class WorkerDied(WorldError):
    """The process in which changes are tried ended at one of them, or took too long and was ended."""

    code = "worker-died"


class WorkerUnavailable(WorldError):
    """The process in which changes are tried cannot be started. Received changes are kept and stay untried."""

    code = "worker-unavailable"


class BadChange(WorldError):
    """A received change does not make sense for its kind of object. Raised by projections; the change is kept and
    counted. `code`: the reason."""

    def __init__(self, code: str = "bad-change") -> None:
        super().__init__(code)
        self.code = code


def is_ours(error: BaseException) -> bool:
    """Whether an error is our own fault: anything but a fault of the world."""
    return not isinstance(error, WorldError)
