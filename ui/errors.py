# SPDX-License-Identifier: EUPL-1.2
"""Error code → what happened, what it means for the work, what to do. The only place with such sentences.

Codes come from app/errors.py, app/*/errors.py, sync/errors.py and the server's refusals. English here, Swedish in
resources/locale/sv/errors.po. The code itself is shown for support.
"""

import re
import traceback
from types import FrameType
from typing import NamedTuple

from app.core import log
from app.core.i18n import tr
from app.core.visible import one_line
from app.errors import FileFault, is_ours

_OURS = ("ui", "app", "sync")
_STEM_CHARS = 24
_NAME_CHARS = 60
"""The most characters of a file's name in a sentence."""


class Sentence(NamedTuple):
    """What happened, what it means for the work, and what to do."""

    title: str
    meaning: str
    action: str

    @property
    def text(self) -> str:
        """All three sentences in one line of text."""
        return f"{self.title} {self.meaning} {self.action}"


def _unlocking() -> dict[str, tuple[str, str, str]]:
    return {
        "wrong-passphrase": (
            tr("Wrong passphrase."),
            tr("Nothing has been opened or changed."),
            tr("Try again. Check Caps Lock and the keyboard's language."),
        ),
        "keyring-locked": (
            tr("The computer's key store is locked."),
            tr("Kansli cannot fetch its key until it is open."),
            tr("Unlock the key store and try again, or use your passphrase."),
        ),
        "no-keyring": (
            tr("This computer has no key store that Kansli can use."),
            tr("The key cannot be kept by the computer."),
            tr("Choose a passphrase instead."),
        ),
        "not-enrolled": (
            tr("No account was created on this computer."),
            tr("The program ended before the keys were kept. Nothing has been lost."),
            tr("Begin anew with your activation code, or ask for a new one."),
        ),
        "no-slot": (
            tr("This way of unlocking has not been set up."),
            tr("Your data is untouched."),
            tr("Unlock in the other way, and add this one under Settings."),
        ),
        "slot-damaged": (
            tr("The file that holds the key is damaged."),
            tr("Your data is untouched but cannot be opened this way."),
            tr("Unlock in another way if you have one, or contact IT support."),
        ),
        "weak-passphrase": (
            tr("The passphrase is too short or too easy to guess."),
            tr("Nothing has been changed."),
            tr("Choose a longer one, for example four words that have nothing to do with each other."),
        ),
        "slot-forbidden": (
            tr("Your organisation does not allow this way of unlocking."),
            tr("Nothing has been changed."),
            tr("Choose another way."),
        ),
        "last-slot": (
            tr("This is the only way to unlock."),
            tr("Without it nobody could open your data again."),
            tr("Add another way first."),
        ),
        "profile-in-use": (
            tr("Kansli is already running with this account."),
            tr("Two windows cannot use the same data at once."),
            tr("Switch to the open window, or close it first."),
        ),
        "bad-profile-name": (
            tr("The profile's name cannot be used."),
            tr("It would not work as a folder on every computer."),
            tr("Use letters a–z, digits, hyphen or full stop, at most 40."),
        ),
    }


def _storage() -> dict[str, tuple[str, str, str]]:
    return {
        "store-corrupt": (
            tr("The stored data is damaged."),
            tr("Kansli has changed nothing. What others have received is still with them and on the server."),
            tr("Contact IT support; keep the computer as it is until then."),
        ),
        "store-closed": (
            tr("Kansli is being locked or ended."),
            tr("What you did just now could not be saved."),
            tr("Unlock Kansli and do it again."),
        ),
        "worker-died": (
            tr("What a colleague wrote could not be checked."),
            tr("It is kept, but not shown. Everything else is as before."),
            tr("Kansli tries again at the next start; if it remains, contact IT support."),
        ),
        "worker-unavailable": (
            tr("What colleagues write cannot be checked on this computer."),
            tr("It is kept and shown once it can be checked. What you write yourself is sent as usual."),
            tr("Contact IT support."),
        ),
        "store-older": (
            tr("The stored data comes from a trial version of Kansli."),
            tr("This version has another format and cannot read it. Nothing has been changed."),
            tr("Contact IT support: the account must be set up again on this computer."),
        ),
        "store-newer": (
            tr("The stored data comes from a newer version of Kansli."),
            tr("This version must not open it, so nothing has been changed."),
            tr("Update Kansli and start again."),
        ),
        "store-missing": (
            tr("There is no stored data for this account."),
            tr("The files may have been moved or removed."),
            tr("Contact IT support before you begin again with a new activation code."),
        ),
        "store-unwritable": (
            tr("The disk refuses to read or write."),
            tr("The last change could not be saved."),
            tr("Check that the disk works and that you may write to it, and try again."),
        ),
        "not-stored": (
            tr("Something that you wrote could not be saved because of an error in Kansli."),
            tr("It is kept until Kansli is locked or quit."),
            tr("Try again; if it remains, contact IT support."),
        ),
        "disk-full": (
            tr("The disk is full."),
            tr("The last change was not saved; everything before it is."),
            tr("Free some space and try again."),
        ),
        "backup-failed": (
            tr("The copy could not be made."),
            tr("Your data is untouched."),
            tr("Choose another place and try again."),
        ),
        "file-too-large": (
            tr("The file is too large."),
            tr("It has not been sent."),
            tr("Send a file of at most 256 MB, or divide it."),
        ),
        "bad-file-name": (
            tr("The file's name cannot be used."),
            tr("It holds a path or invisible characters, and has not been sent or saved."),
            tr("Give the file another name and try again."),
        ),
        "file-unreadable": (
            tr("The file cannot be read or written."),
            tr("Nothing has been sent or saved."),
            tr("Check that the file is there and that you may open it."),
        ),
        "setting-locked": (
            tr("The setting is managed by your organisation."),
            tr("It has not been changed."),
            tr("Contact IT support if you need another value."),
        ),
        "server-not-allowed": (
            tr("This server may not be used."),
            tr("Your organisation has decided which servers Kansli may use on this computer."),
            tr("Use the server that your organisation names, or contact IT support."),
        ),
        "export-off": (
            tr("Your organisation does not let files be saved outside Kansli."),
            tr("Nothing has been saved. The file is still in the room."),
            tr("Read it in Kansli, or contact IT support."),
        ),
        "bad-setting": (
            tr("The value does not suit the setting."),
            tr("It has not been changed."),
            tr("Choose another value."),
        ),
    }


def _files() -> dict[str, tuple[str, str, str]]:
    """Documents made from files, and files made from documents."""
    no_document, no_file = tr("No document was made of it."), tr("No file was written. The document is as it was.")
    return {
        "import-too-large": (
            tr("The file is too large."),
            no_document,
            tr("Files of at most 25 MB are read: remove large pictures from it, or divide it."),
        ),
        "import-bomb": (
            tr("The file unpacks to far more than a document holds."),
            tr("Such files are made to fill a computer. No document was made of it."),
            tr("Ask the sender what it is. If it came unasked, tell IT security."),
        ),
        "import-encrypted": (
            tr("The file is protected by a password."),
            no_document,
            tr("Open it in the program that it comes from, save it without a password, and import it then."),
        ),
        "import-damaged": (
            tr("The file is damaged, or is no Word document although its name says so."),
            no_document,
            tr("Open it in the program that it comes from, save it again as docx, and import that."),
        ),
        "import-doctype": (
            tr("The file declares things that no Word document declares."),
            tr("Such declarations can fill a computer or read its files. No document was made of it."),
            tr("Ask the sender to save it again in Word. If it came unasked, tell IT security."),
        ),
        "import-foreign": (
            tr("Files of this kind cannot be imported."),
            no_document,
            tr("Save it as docx, Markdown or plain text, and import that."),
        ),
        "import-empty": (
            tr("There is no text in the file."),
            no_document,
            tr("Check that it is the right file."),
        ),
        "conversion-died": (
            tr("The conversion broke off, or took too long."),
            tr("Nothing was made, and what was there before is as it was."),
            tr("Try again. If it happens again, save the file anew in the program that it comes from."),
        ),
        "conversion-unavailable": (
            tr("This computer does not let Kansli start the conversion."),
            tr("Nothing was made, and what was there before is as it was."),
            tr("Contact IT support."),
        ),
        "export-full": (
            tr("There is no room for the file."),
            no_file,
            tr("Free some space there, or choose another folder."),
        ),
        "export-failed": (
            tr("The file cannot be written there."),
            no_file,
            tr("Check that you may write in the folder and that no other program has the file open."),
        ),
        "print-off": (
            tr("Your organisation does not let documents be printed or saved as PDF."),
            tr("Nothing was printed or saved. The document is as it was."),
            tr("Read it in Kansli, or contact IT support."),
        ),
        "printer-refused": (
            tr("The printer takes nothing."),
            tr("Not all pages were printed. The document is as it was."),
            tr("Check that it is on and has paper, or choose another printer."),
        ),
    }


def _office() -> dict[str, tuple[str, str, str]]:
    return {
        "offline": (
            tr("There is no connection to the server."),
            tr("What you write is kept and sent later, but this needs the server."),
            tr("Try again when you are connected."),
        ),
        "forbidden": (
            tr("Your role does not allow this."),
            tr("Nothing has been changed."),
            tr("Ask an administrator or the owner of the room."),
        ),
        "may-not-write": (
            tr("You may not write in this room any more."),
            tr("What you wrote is kept on this computer, but not sent."),
            tr("Ask an administrator or the owner of the room."),
        ),
        "not-found": (
            tr("It is no longer here."),
            tr("It may have been removed, or not arrived yet."),
            tr("Try again in a while."),
        ),
        "empty-message": (
            tr("The message is empty."),
            tr("There is nothing to send."),
            tr("Write something or attach a file."),
        ),
        "message-too-long": (
            tr("The message is too long."),
            tr("It has not been sent; the text is still there."),
            tr("Divide it, or put it in a document."),
        ),
        "bad-change": (
            tr("Something received could not be understood."),
            tr("It is kept, and everything else works as usual."),
            tr("Tell IT support if something is missing."),
        ),
        "format-newer": (
            tr("Something received comes from a newer version of Kansli."),
            tr("It is kept, and everything else works as usual."),
            tr("Update Kansli to see it."),
        ),
        "damaged-update": (
            tr("Something received could not be understood."),
            tr("It is kept, and everything else works as usual."),
            tr("Tell IT support if something is missing."),
        ),
        "bad-record": (
            tr("Something received could not be understood."),
            tr("It is kept, and everything else works as usual."),
            tr("Tell IT support if something is missing."),
        ),
        "bug": (
            tr("Something went wrong in Kansli."),
            tr("What you have written is saved."),
            tr("Try again. If it happens again, give IT support the code below."),
        ),
    }


def _connection() -> dict[str, tuple[str, str, str]]:
    return {
        "unreachable": (
            tr("The server does not answer."),
            tr("You can go on reading and writing; it is sent when the connection is back."),
            tr("Check the network. Kansli tries again by itself."),
        ),
        "too-slow": (
            tr("The file came to a halt: the server sends or takes too little at a time."),
            tr("Nothing is lost. What you send is kept on this computer until the server has it."),
            tr("Check the network. Kansli sends again by itself; fetch a file once more by choosing it."),
        ),
        "certificate": (
            tr("The server cannot prove who it is."),
            tr("Kansli does not connect, since someone else could be listening."),
            tr("Check the address. Contact IT support if it is right."),
        ),
        "update-needed": (
            tr("A newer version of Kansli is needed."),
            tr("What you have is readable, but cannot be synchronised."),
            tr("Update Kansli and start again."),
        ),
        "client-old": (
            tr("Your organisation asks for a newer version of Kansli."),
            tr("You can go on reading and writing; it is sent once this computer has the newer version."),
            tr("Start Kansli again. If this is still shown, ask IT support to update Kansli on this computer."),
        ),
        "bad-address": (
            tr("The server's address cannot be used."),
            tr("Kansli connects only to a named server, and only sealed (https)."),
            tr("Check the address, or paste the link from your agency."),
        ),
        "bad-ca-file": (
            tr("The agency's certificates are not where they should be."),
            tr("Kansli connects to nothing until it can check that the server is your agency's. Nothing is lost."),
            tr("Contact IT support: the file that the setting ca-file names is missing or is no certificate."),
        ),
        "version": (
            tr("The server and this Kansli do not speak the same version."),
            tr("What you have is readable, but cannot be synchronised."),
            tr("Update Kansli, or tell IT support that the server is old."),
        ),
        "clock-off": (
            tr("The computer's clock is wrong."),
            tr("Nothing can be synchronised until it is right."),
            tr("Set date and time, preferably automatically."),
        ),
        "clock": (
            tr("The computer's clock is wrong."),
            tr("Nothing can be synchronised until it is right."),
            tr("Set date and time, preferably automatically."),
        ),
        "wrong-agency": (
            tr("The server belongs to another agency."),
            tr("Kansli does not connect to it."),
            tr("Check the address and the activation code."),
        ),
        "auth": (
            tr("The server did not accept the signature of this device."),
            tr("Nothing is synchronised. What you have is readable."),
            tr("Contact IT support."),
        ),
        "unknown-user": (
            tr("The server does not know this account."),
            tr("Nothing is synchronised. What you have is readable."),
            tr("Check the server's address, or contact IT support."),
        ),
        "busy": (
            tr("The server has much to do."),
            tr("What you write is kept and sent soon."),
            tr("Wait a little. Kansli tries again by itself."),
        ),
        "internal": (
            tr("Something went wrong on the server."),
            tr("What you write is kept and sent later."),
            tr("Wait a little. Contact IT support if it goes on."),
        ),
        "full": (
            tr("The server has no room left, or its disk fails."),
            tr("What you write is kept on this computer and sent when there is room."),
            tr("Tell IT support. Kansli tries again by itself."),
        ),
        "quota": (
            tr("The server's storage for you or the room is full."),
            tr("What you write is kept on this computer but not sent."),
            tr("Contact IT support."),
        ),
        "code-unknown": (
            tr("The activation code is not right."),
            tr("Nothing has been registered."),
            tr("Check every character, or ask for a new code."),
        ),
        "code": (
            tr("The activation code is not right."),
            tr("Nothing has been registered."),
            tr("Check every character, or ask for a new code."),
        ),
        "code-used": (
            tr("The activation code has been used already."),
            tr("A code works once only."),
            tr("Ask for a new one. If it was not you who used it, tell IT security at once."),
        ),
        "code-expired": (
            tr("The activation code is too old."),
            tr("Nothing has been registered."),
            tr("Ask for a new code."),
        ),
        "code-withdrawn": (
            tr("The activation code has been withdrawn by your agency."),
            tr("It cannot be used any more. Nothing has been registered."),
            tr("Ask IT support whether there is a new code for you."),
        ),
    }


def _egress() -> dict[str, tuple[str, str, str]]:
    return {
        "proxy-failed": (
            tr("The network's proxy does not let Kansli through."),
            tr("You can go on reading and writing; it is sent when the connection is back."),
            tr("Check the proxy under Settings, or contact IT support. Kansli tries again by itself."),
        ),
        "proxy-auth": (
            tr("The network's proxy asks for a name and a password."),
            tr("Kansli keeps none for it, and is not let through. You can go on reading and writing."),
            tr("Contact IT support: the proxy must let Kansli through to the agency's server."),
        ),
        "proxy-missing": (
            tr("Kansli is set to use a proxy, and none is named."),
            tr("Nothing is connected to. You can go on reading and writing; it is sent when a proxy is named."),
            tr(
                "Name the proxy under Settings. If your organisation manages that, tell IT support: the policy "
                "proxy-mode asks for a proxy, and proxy-address is missing, empty or left out."
            ),
        ),
        "proxy-script": (
            tr("Kansli is set to find its proxy by a script, and this computer cannot run one."),
            tr("Nothing is connected to. You can go on reading and writing; it is sent when that is changed."),
            tr(
                "Choose another way under Settings. If your organisation manages that, tell IT support: the policy "
                "proxy-mode is pac, which works on Windows only."
            ),
        ),
        "egress": (
            tr("Your organisation does not allow Kansli to connect to this server."),
            tr("Nothing has been sent there."),
            tr("Check the server's address. Contact IT support if it is right."),
        ),
        "server-not-named": (
            tr("Your organisation no longer names the server {address}, which your account uses."),
            tr("Kansli does not connect to it. Read and write as usual; what you write is sent later."),
            tr("Contact IT support: the policy “servers” must name the server's address."),
        ),
        "server-unproven": (
            tr("The server at {address} has not proved that it is your agency's."),
            tr("Kansli does not use it, and nothing of yours has been sent there."),
            tr("Contact IT support: it is another server, or one that does not know that it goes by this address."),
        ),
        "data-on-network": (
            tr("Kansli's folder lies on a network drive."),
            tr("An encrypted database is not safe there, so nothing has been opened or made."),
            tr("Contact IT support: the folder must lie on a disk of this computer."),
        ),
        "data-of-another": (
            tr("Kansli's folder belongs to another user of this computer."),
            tr("Whoever made it could exchange what is in it, so nothing has been opened or made."),
            tr("Contact IT support: each user needs a folder that nobody else can write in."),
        ),
    }


def _devices() -> dict[str, tuple[str, str, str]]:
    return {
        "pairing": (
            tr("The other device is not there any more."),
            tr("Nothing has been added."),
            tr("Begin again on the device that you already use."),
        ),
        "enrol": (
            tr("The two devices do not have the same code."),
            tr("Nothing has been added. Perhaps somebody tried to get in between."),
            tr("Begin again with a new code. If it happens again, tell IT security."),
        ),
        "ended": (
            tr("The server says that this device is no longer yours."),
            tr("Kansli believes it only when your own account says so. Nothing has been removed."),
            tr("Contact IT support."),
        ),
        "revoked": (
            tr("This device has been revoked."),
            tr("It gets no new content and can send nothing. What is on it is still here."),
            tr("Use another device, or contact IT support."),
        ),
        "reset": (
            tr("Your account has been ended by the agency."),
            tr("Nothing is synchronised. What you have is readable."),
            tr(
                "If you still work here, ask IT support for a new activation code. If you have left, hand in the "
                "computer: IT support removes what is on it."
            ),
        ),
    }


def _recovery() -> dict[str, tuple[str, str, str]]:
    return {
        "recovery-sheet-unknown": (
            tr("Nobody here has this recovery sheet."),
            tr("Nothing has been changed. A sheet does not work any more once a newer one is made."),
            tr("Check that it is your newest sheet and the right server."),
        ),
        "recovery-sheet-code": (
            tr("The code of the recovery sheet is mistyped."),
            tr("Nothing has been changed."),
            tr("Check every character: seven groups of four."),
        ),
        "recovery-sheet": (
            tr("This is not the recovery sheet in force."),
            tr("Nothing has been changed."),
            tr("Take the sheet that was made last. If you have none, contact IT support."),
        ),
        "recovery-sheet-format": (
            tr("This recovery sheet was made by an earlier version of Kansli."),
            tr("Nothing has been changed. A sheet of that kind opens nothing any more."),
            tr("Take the sheet that was made last. If you have none, contact IT support."),
        ),
        "share": (
            tr("The second line of the activation code belongs to another recovery sheet."),
            tr("Nothing has been changed, and the code is still good."),
            tr("Check that it is your newest sheet. If it is, ask IT support for a new code in your name."),
        ),
        "share-code": (
            tr("The second line of the activation code is mistyped."),
            tr("Nothing has been changed."),
            tr("Check every character: seven groups of four."),
        ),
        "share-missing": (
            tr("The activation code lacks its second line."),
            tr("Nothing has been changed. A recovery sheet opens only together with that line."),
            tr("Enter both lines. If you have one only, ask IT support for the other."),
        ),
        "escrow": (
            tr("The key to which recovery sheets are sealed is not the agency's."),
            tr("The sheet is not in force. The server may be giving out a false key."),
            tr("Tell IT security. Do not try again until they have looked at it."),
        ),
        "other-person": (
            tr("The activation code and the recovery sheet are of different people."),
            tr("Nothing has been changed."),
            tr("Ask IT support for an activation code with exactly your name, title and unit."),
        ),
        "vetoed": (
            tr("One of your devices has said no."),
            tr("Nothing has been changed."),
            tr("If it is not you who has that device, have IT support revoke it. Then try again."),
        ),
        "waits": (
            tr("Your other devices have a day to say no."),
            tr("Nothing more is needed of you until then."),
            tr("Open Kansli again when the time is over."),
        ),
    }


def _trust() -> dict[str, tuple[str, str, str]]:
    return {
        "fork": (
            tr("The server has shown members different histories of the room."),
            tr("Nothing more is taken in. What you have is kept."),
            tr("Write nothing sensitive there, and contact IT security."),
        ),
        "rollback": (
            tr("The server no longer has what it confirmed earlier."),
            tr("Your own copy is kept and nothing is overwritten."),
            tr("Contact IT security."),
        ),
        "restored": (
            tr("The server has been restored from a backup."),
            tr("What you have is kept and is handed in again by itself."),
            tr("You need do nothing. Contact IT support if this is still shown tomorrow."),
        ),
        "closed": (
            tr("The room takes nothing new until the server has got back what it lost."),
            tr("What you write is kept and sent when the room is open again."),
            tr("You need do nothing. It opens when the members' computers have been online."),
        ),
        "old-format": (
            tr("The room was made by a version of Kansli from before the first release."),
            tr("It cannot be opened. Nothing is lost in your other rooms."),
            tr("Make a new room. IT support can tell where the old one's content is."),
        ),
        "not-seasoned": (
            tr("Whoever approves must have been an administrator for seven days."),
            tr("This computer counts the days by its own clock too. The approval stands; the history was not given."),
            tr("Try again later, or ask another administrator."),
        ),
        "too-many-rooms": (
            tr("The person is in as many rooms as Kansli can hold."),
            tr("Nobody was added. Everything else in the room is as before."),
            tr("Ask the person to leave rooms that are not used any more."),
        ),
        "unanswered": (
            tr("The person has not answered fifty of your invitations."),
            tr("Nobody was added. Earlier invitations stay open."),
            tr("Ask the person to answer them in Kansli, then add them again."),
        ),
        "unreadable": (
            tr("Kansli cannot follow this room on this computer."),
            tr("What is stored of it cannot be read, or taking in what came failed. Your other rooms go on."),
            tr("Start Kansli again. If that does not help, send the report to IT security."),
        ),
        "withheld": (
            tr("The server does not hand over everything."),
            tr("Something that the history names is missing here."),
            tr("Contact IT security."),
        ),
        "unknown-room": (
            tr("The server does not have this room."),
            tr("You may have been removed from it. What you have is readable."),
            tr("Ask one of its members."),
        ),
        "stale": (
            tr("The room changed while you wrote."),
            tr("Kansli takes in what is new and sends yours again."),
            tr("You need do nothing."),
        ),
        "conflict": (
            tr("Someone else changed the same thing at the same moment."),
            tr("Your change was not made."),
            tr("Look at what it says now and try again."),
        ),
        "rotation-owed": (
            tr("The room is getting a new key."),
            tr("What you write is sent when that is done."),
            tr("You need do nothing."),
        ),
        "seals": (
            tr("The room's key did not reach everybody."),
            tr("The change was not made."),
            tr("Try again."),
        ),
        "signature": (
            tr("Something received has a false signature."),
            tr("It is not shown."),
            tr("Contact IT security."),
        ),
        "decrypt": (
            tr("Something received cannot be opened."),
            tr("It is not shown; everything else works as usual."),
            tr("Tell IT support if something is missing."),
        ),
        "malformed": _unreadable(),
        "encoding": _unreadable(),
        "oversize": _unreadable(),
        "other-room": _unreadable(),
        "blob-missing": (
            tr("The file is not on the server."),
            tr("It cannot be fetched."),
            tr("Ask the sender to send it again."),
        ),
        "part-unreadable": (
            tr("A file that waits to be sent is damaged or gone on this computer."),
            tr("It is not sent, nor the message that it belongs to. Everything else is."),
            tr("Send the file again."),
        ),
    }


def _pruning() -> dict[str, tuple[str, str, str]]:
    return {
        "snapshot": (
            tr("Colleagues have not checked the state of this yet."),
            tr("Nothing of it was cleared."),
            tr("Two others who may read the whole history must have Kansli open for a while. Then try again."),
        ),
        "early": (
            tr("What would stand in for the changes is not a month old yet."),
            tr("Nothing of it was cleared."),
            tr("Try again later."),
        ),
        "baseline": (
            tr("Someone who reads from when they came has not been given the present state yet."),
            tr("Nothing of it was cleared."),
            tr("Try again."),
        ),
        "gap": (
            tr("A document or board here may lack what was written while this computer was away."),
            tr("Its change history has been cleared, and the server has not given what stands in its place."),
            tr("Kansli asks again by itself. Contact IT support if this is still shown tomorrow."),
        ),
        "reading": (
            tr("This computer has not read all of the room yet."),
            tr("Nothing can be cleared from here before it has."),
            tr("Wait a little, with Kansli open."),
        ),
    }


def _own_devices() -> dict[str, tuple[str, str, str]]:
    return {
        "too-many-tries": (
            tr("The digits have differed three times within an hour."),
            tr("For an hour no digits are compared."),
            tr("Use a code instead, or wait."),
        ),
        "not-revoked": (
            tr("This device has not been revoked."),
            tr("Nothing has been removed."),
            tr("You need do nothing."),
        ),
        "other-person": (
            tr("The file is not yours."),
            tr("It was written for somebody else, or by a device that is not yours. Nothing was taken in."),
            tr("Tell IT security if somebody gave it to you."),
        ),
        "keys": (
            tr("This device does not have the key to the file yet."),
            tr("It comes with the next connection to the server. A device that was revoked never gets it."),
            tr("Connect, and try again on a device that is in use."),
        ),
        "older": (
            tr("A device cannot revoke one that is older than itself."),
            tr("Nothing has been changed."),
            tr("Do it on an older device, or ask the agency to revoke it."),
        ),
        "device": (
            tr("The device is not in use any more."),
            tr("Nothing has been changed."),
            tr("You need do nothing."),
        ),
        "join-code": (
            tr("The code is not right."),
            tr("Nothing has been made on this computer."),
            tr("Check every character against the other device."),
        ),
        "join-code-unknown": (
            tr("No device waits under this code or number."),
            tr("It may be mistyped, or the five minutes are over. Nothing has been made on this computer."),
            tr("Check it, also the server's address, or show a new one on the other device."),
        ),
        "join-code-used": (
            tr("The code or number has been used already."),
            tr("It works once only. Nothing has been made on this computer."),
            tr("Show a new one on the other device. If it was not you who used it, tell IT security at once."),
        ),
        "join-conflict": (
            tr("Your devices changed at the same moment."),
            tr("The new device was not added."),
            tr("Begin again with a new code."),
        ),
        "no-qr": (
            tr("There is no such QR code."),
            tr("Nothing has been made on this computer."),
            tr("Show the whole code, larger or sharper, or type it in."),
        ),
    }


_TECHNICAL = {
    "invalid", "sync", "world", "need-log", "internal-error", "bad-state", "chain",
    "format",
}  # fmt: skip
"""Codes of broken rules that only support can use: they share one sentence."""


def _unreadable() -> tuple[str, str, str]:
    return (
        tr("The server and Kansli do not understand each other."),
        tr("What could not be read was left out. What you have written is kept."),
        tr("Kansli tries again by itself. Contact IT support if it goes on."),
    )


def sentences() -> dict[str, tuple[str, str, str]]:
    """Every code's sentence, in the language in force."""
    known = (
        _unlocking()
        | _storage()
        | _files()
        | _office()
        | _connection()
        | _egress()
        | _devices()
        | _own_devices()
        | _recovery()
        | _trust()
        | _pruning()
    )
    return known | dict.fromkeys(_TECHNICAL, _unknown())


def _unknown() -> tuple[str, str, str]:
    return (
        tr("Something was not as it should be."),
        tr("It has been stopped, and what you have written is kept."),
        tr("Try again. If it happens again, give IT support the code below."),
    )


def sentence(code: str, **context: object) -> Sentence:
    """The sentence of a code, with `{name}` of the context filled in; an unknown code has a general one."""
    found = sentences().get(code) or _unknown()
    return Sentence(*(part.format(**context) if context else part for part in found))


def sentence_of(error: BaseException) -> Sentence:
    """The sentence of an exception by its `code`, with the file that it names; one without a code is our own fault."""
    found = sentence(code_of(error), **_context(error))
    if not isinstance(error, FileFault) or not error.file:
        return found
    named = tr("“{name}”: {sentence}").format(name=one_line(error.file, _NAME_CHARS), sentence=found.title)
    return found._replace(title=named)


def format_error(error: BaseException, prefix: str = "", more: str = "") -> tuple[str, str]:
    """Returns (the exception's sentence and `more`, its code); logs an exception without a code. `prefix`: a view's own
    sentences, for example "join-", are preferred if they exist."""
    code = code_of(error)
    if not hasattr(error, "code"):
        log.ui.exception("shown-in-place", error)
    shown = sentence(prefix + code if prefix + code in sentences() else code, **_context(error)).text
    return f"{shown} {more}".rstrip(), code


def _context(error: BaseException) -> dict[str, object]:
    """What the exception's sentence names: the values of its placeholders."""
    address = getattr(error, "address", None)
    return {"address": address} if isinstance(address, str) else {}


def code_of(error: BaseException) -> str:
    """The stable code of an exception. Of a fault of ours it is where that was raised: the file and line of the
    innermost call in our own code, for example "bug-kanban-165"; "bug" if it was never raised."""
    if not is_ours(error):
        return str(getattr(error, "code", "bug"))
    own, every = in_ours(error), list(traceback.walk_tb(error.__traceback__))
    if not every:
        return "bug"
    frame, line = (own or every)[-1]
    stem = re.sub(r"[^A-Za-z0-9_]", "-", log.file_name(frame.f_code.co_filename).removesuffix(".py"))
    return f"bug-{stem[:_STEM_CHARS]}-{line}"


def in_ours(error: BaseException) -> list[tuple[FrameType, int]]:
    """The calls in our own code that an exception went through, with the number of the line; the innermost last."""
    frames = traceback.walk_tb(error.__traceback__)
    return [found for found in frames if str(found[0].f_globals.get("__name__", "")).partition(".")[0] in _OURS]
