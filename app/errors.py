# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong in app/, each with a stable code. The sentences are in ui/errors/.

WorldError                  of sync/errors.py: a fault outside this program, shown to a person, often retried
├── StoreFault              StoreCorrupt · StoreOlder · StoreNewer · StoreMissing · DiskFull · StoreUnwritable
│                           StoreClosed · NotStored
├── UnlockFault             WrongPassphrase · KeyringLocked · NoKeyring · NoSlot · SlotDamaged · WeakPassphrase
│                           SlotForbidden · LastSlot · WrongPin · WeakPin · PinWaits · PinSpent
├── FileFault               FileTooLarge · BadFileName · FileUnreadable
├── NotEnrolled · ProfileInUse · BadProfileName · BadCaFile · NoRoomOffline
├── ServerNotAllowed · ExportOff · SettingLocked · BadSetting
├── DataOnNetwork · DataOfAnother
├── WorkerDied · WorkerUnavailable
├── Forbidden · NotFound · TooManyTries · NotRevoked · ReturnWaits
└── BadChange               a received change cannot be projected; it is kept and counted, nothing stops
BugError                    of sync/errors.py: a fault in this program, reported

The tools draw their own: app/chat/errors.py, app/documents/errors.py.
"""

import errno

from sync.errors import BugError, WorldError

__all__ = ["BugError", "WorldError", "disk_fault", "is_full", "is_ours"]


class StoreFault(WorldError):
    """Error: the encrypted database, or a file beside it, cannot be used as it is. Nothing has been changed, unless the
    method that raises it says otherwise."""


class StoreCorrupt(StoreFault):
    """Error: the database, the file that names the profile, or a stored part of a file is damaged or truncated; or the
    database was not encrypted with this key."""

    code = "store-corrupt"


class StoreOlder(StoreFault):
    """Error: the database was written by a version from before 1.0 that had another layout."""

    code = "store-older"


class StoreNewer(StoreFault):
    """Error: the database was written by a newer version of the program."""

    code = "store-newer"


class StoreMissing(StoreFault):
    """Error: the profile has no database."""

    code = "store-missing"


class StoreUnwritable(StoreFault):
    """Error: the disk refuses to read or write a file of the profile, or one that an attachment or unsent work is saved
    to (rights, I/O error, a lock held by another program), or the file is in the way or has changed."""

    code = "store-unwritable"


class StoreClosed(StoreFault):
    """Error: the store is closed: Kansli is being locked or ended."""

    code = "store-closed"


class NotStored(StoreFault):
    """Error: something that a person wrote is only in memory, although the disk refused nothing. A fault of this
    program, which is reported where it happens, keeps it there."""

    code = "not-stored"


class DiskFull(StoreFault):
    """Error: there is no space left on the disk (or in the person's quota) for what was to be stored, and nothing of it
    is stored. One exception: after a commit that is flushed to the disk in a second step, it is stored, and a power cut
    may lose it."""

    code = "disk-full"


class UnlockFault(WorldError):
    """Error: an unlock method could not be used, made or removed. Its key slot is a file with the database key,
    encrypted under a passphrase or under a secret in the computer's key store."""


class WrongPassphrase(UnlockFault):
    """Error: the passphrase does not open its key slot (the file with the encrypted database key), or is the one from
    before a change of keys that was interrupted late."""

    code = "wrong-passphrase"


class KeyringLocked(UnlockFault):
    """Error: the operating system's key store is locked or did not answer. The caller waits and asks the person, and
    never erases the profile for it."""

    code = "keyring-locked"


class NoKeyring(UnlockFault):
    """Error: this machine has no key store to use, or one that does not return what was stored in it: offer the
    passphrase."""

    code = "no-keyring"


class NoSlot(UnlockFault):
    """Error: this profile has no key slot (file with the encrypted database key) of the kind that was asked for, or the
    computer's key store has lost the secret that opens it."""

    code = "no-slot"


class SlotDamaged(UnlockFault):
    """Error: the file of a key slot, which has the encrypted database key, is damaged, truncated or from a newer
    version."""

    code = "slot-damaged"


class WeakPassphrase(UnlockFault):
    """Error: the new passphrase is shorter, or easier to guess, than the machine's policy permits."""

    code = "weak-passphrase"


class SlotForbidden(UnlockFault):
    """Error: the machine's policy does not allow this unlock method: a passphrase, or the computer's key store."""

    code = "slot-forbidden"


class LastSlot(UnlockFault):
    """Error: the last unlock method (key slot) cannot be removed: nobody could open the profile again."""

    code = "last-slot"


class WrongPin(UnlockFault):
    """Error: what was typed is not the PIN. The curtain stays."""

    code = "wrong-pin"


class WeakPin(UnlockFault):
    """Error: the new PIN breaks a rule (app/pins.py), or policy allows none. A former PIN stays."""

    code = "weak-pin"


class PinWaits(UnlockFault):
    """Error: after wrong PINs the person must wait before the next try. Nothing was compared."""

    code = "pin-waits"


class PinSpent(UnlockFault):
    """Error: too many wrong PINs under this curtain. The program ends, and no PIN opens the store."""

    code = "pin-spent"


class NotEnrolled(WorldError):
    """Error: an enrolment ended before the account's keys were kept: there is nothing to resume."""

    code = "not-enrolled"


class ProfileInUse(WorldError):
    """Error: another process has this profile open."""

    code = "profile-in-use"


class BadProfileName(WorldError):
    """Error: the name of a profile cannot be a folder's name on every system."""

    code = "bad-profile-name"


class DataOnNetwork(WorldError):
    """Error: the profile's folder is on another machine's disk, or would be made there: the database is not safe on
    it."""

    code = "data-on-network"


class DataOfAnother(WorldError):
    """Error: the profile's folder, or one of the two above it, was made by another user, or everybody may write in it;
    or this process runs as root and would make it in another user's folder."""

    code = "data-of-another"


class FileFault(WorldError):
    """Error: a file that a person chose cannot be used. `file` is its name if it was one of several, "" otherwise. The
    name is not in the exception's text, which a log may have."""

    file: str = ""


class FileTooLarge(FileFault):
    """Error: the file is larger than a chat accepts."""

    code = "file-too-large"


class BadFileName(FileFault):
    """Error: nothing of a file's name is left that can be used, once folders, control characters, and characters that a
    system forbids are taken out."""

    code = "bad-file-name"


class FileUnreadable(FileFault):
    """Error: the chosen file cannot be read or written."""

    code = "file-unreadable"


class NoRoomOffline(WorldError):
    """Error: what is to be kept offline, with what is already, is more than the limit for received files."""

    code = "no-room-offline"


class TooManyTries(WorldError):
    """Error: three comparisons of digits between this device and a new one failed within an hour: wait an hour, or let
    the new device in by a code."""

    code = "too-many-tries"


class NotRevoked(WorldError):
    """Error: this device is not revoked by its own copy of the person's log, so nothing of it is erased. An account
    that the agency has reset is not enough."""

    code = "not-revoked"


class Forbidden(WorldError):
    """Error: the person may not do this in the room now: their role does not allow it, or the state of the room or
    message."""

    code = "forbidden"


class NotFound(WorldError):
    """Error: what was asked for (such as an object, a message, a file or a person's record) is not here (any more, or
    yet), or is not possible for its kind."""

    code = "not-found"


class ReturnWaits(WorldError):
    """Error: the person recovers their account by the recovery sheet and must wait: another device of theirs may object
    until `ready_ms` (the server's time, ms)."""

    code = "waits"

    def __init__(self, ready_ms: int) -> None:
        super().__init__()
        self.ready_ms = ready_ms


class BadCaFile(WorldError):
    """Error: the file with the agency's certificates, which policy or the settings name, is missing or holds none."""

    code = "bad-ca-file"


class ServerNotAllowed(WorldError):
    """Error: the machine's policy names the servers that may be used, and this one is not among them."""

    code = "server-not-allowed"


class ExportOff(WorldError):
    """Error: the machine's policy lets nothing be saved outside the program."""

    code = "export-off"


class SettingLocked(WorldError):
    """Error: the machine's policy has fixed this setting, or only policy and the installer can set it."""

    code = "setting-locked"


class BadSetting(WorldError):
    """Error: the setting does not accept the value."""

    code = "bad-setting"


class WorkerDied(WorldError):
    """Error: the process in which changes are tried, or one that makes an object's state, ended at its task, took too
    long or gave an invalid answer. It was ended then."""

    code = "worker-died"


class WorkerUnavailable(WorldError):
    """Error: the process in which changes are tried, or one that makes an object's state, cannot be started, or the
    session has closed it. Received changes are kept and stay untried."""

    code = "worker-unavailable"


class BadChange(WorldError):
    """Error: a received change does not make sense for its kind of object, or other bytes that a colleague's program
    wrote make none. A change is kept and counted, and stops nothing. `code`: the reason."""

    def __init__(self, code: str = "bad-change") -> None:
        super().__init__(code)
        self.code = code


def is_full(error: OSError) -> bool:
    """Whether a disk refused to write because there is no space left on it, or in the person's quota."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def disk_fault(error: OSError) -> StoreFault:
    """The fault to raise where a disk refused to write or remove a file: DiskFull if there is no space left, otherwise
    StoreUnwritable."""
    return DiskFull() if is_full(error) else StoreUnwritable()


def is_ours(error: BaseException) -> bool:
    """Whether an error is our own fault: anything but a fault of the world."""
    return not isinstance(error, WorldError)
