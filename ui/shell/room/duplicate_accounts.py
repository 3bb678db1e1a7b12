# SPDX-License-Identifier: EUPL-1.2
"""Before somebody is added: whether there is a second account in the same name that is alive. No administrator adds a
person without having seen that account."""

from PySide6.QtWidgets import QWidget

from app.people.person import Person
from app.people.service import PeopleService
from ui.kit.dialogs import Dialog, show
from ui.kit.translate import tr
from ui.shell.words import verified_chip


def account_name(person: Person) -> str:
    """Text that names a person (name, unit), with what distinguishes this account from another in the same name: the
    beginning of its id, and how it is verified."""
    what = " · ".join(x for x in (person.name, person.unit) if x)
    return tr("{who} (account {id}, {verified})").format(
        who=what, id=person.uid[:4].hex(" ", 2), verified=verified_chip(person)[0]
    )


class DuplicateAccountsDialog(Dialog):
    """A dialog before a person is added who has several accounts: it names the account to be added and the others. It
    is accepted if the person at the screen wants to add this one all the same; Enter alone does not accept it."""

    def __init__(self, parent: QWidget, person: Person, duplicate_accounts: list[Person]) -> None:
        super().__init__(
            parent, tr("Two accounts in the same name"), accept=tr("Add all the same"), danger=True, width=520
        )
        self.add_text(
            tr(
                "The agency's directory has more than one living account with this name, title and unit. One of them "
                "may be old, or false. Ask the person to compare safety numbers, and IT support to end the other one."
            ),
            "body",
        )
        self.add_text(tr("You are adding: {account}").format(account=account_name(person)), "strong")
        for account in duplicate_accounts:
            self.add_text(tr("There is also: {account}").format(account=account_name(account)), "strong")


async def may_add(parent: QWidget, people: PeopleService, person: Person) -> bool:
    """Whether `person` may be added: True if there is no other account in the same name, or if the person at the
    screen, who is then asked in a dialog, wants to add this one all the same. SyncErrors, such as Unreachable while
    offline."""
    duplicate_accounts = list(await people.duplicate_accounts(person.uid))
    return not duplicate_accounts or await show(DuplicateAccountsDialog(parent, person, duplicate_accounts))
