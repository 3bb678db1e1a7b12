# SPDX-License-Identifier: EUPL-1.2
"""What a person does in a window, in words of the office rather than of the keyboard. Used by the demo's steps."""

from pathlib import Path
from typing import Any

from tests.demo.driver import Client, Failed, Name, named, together
from tests.demo.sample import PASSPHRASE, ROOM, Card
from tests.demo.stage import until
from tests.demo.words import said

CHAT, DOCUMENTS, TASKS = "Alt+1", "Alt+2", "Alt+3"


def messages() -> dict[str, Any]:
    return named(said("Messages"))


def editor() -> dict[str, Any]:
    return named(said("Document text"))


def composer(room: str = ROOM) -> dict[str, Any]:
    return named(said("Write to {room} …", room=room))


def enrol(client: Client, address: str, code: str, name: str) -> None:
    """First start: address, code, the name that the agency has registered, a passphrase."""
    client.start()
    client.enter(said("Server address or link"), address)
    client.enter(said("Activation code"), code)
    client.press(named(said("Continue"), "Button"))
    client.wait_part(name, within=said("First start"))
    client.enter(named(said("Passphrase"), "EditableText"), PASSPHRASE)
    client.enter(said("The passphrase once more"), PASSPHRASE)
    client.press(named(said("Begin"), "Button"))
    opened(client)
    client.wait_part(said("Synced"), within=said("Status"))


def call(client: Client, title: str) -> None:
    """Through the palette: a room, a person or a command."""
    client.palette(title, said("Search everything and do"), said("Suggestions"))


def opened(client: Client) -> None:
    """Waits for the main window and makes it as large as the pictures."""
    client.wait(named(said("Rooms"), within=said("Main navigation")))
    client.size(1440, 900)


def unlock(client: Client) -> None:
    client.start()
    client.enter(named(said("Passphrase"), "EditableText"), PASSPHRASE, "Return")
    opened(client)


def open_room(client: Client, room: str = ROOM) -> None:
    """Through the palette, as one who does not use the mouse."""
    call(client, room)
    client.wait(named(room, "Heading", said("Room"), nth=0))
    client.keys(CHAT)
    client.wait(composer(room))


def new_room(client: Client, title: str, *, group: bool = False) -> None:
    """A case room, or a group."""
    client.keys("Ctrl+N")
    client.enter(said("Name of the room"), title)
    if group:
        client.focus(named(said("Case room"), "RadioButton"))
        client.keys("Down")
    client.press(named(said("Create room"), "Button"))
    client.wait(composer(title))


def add_member(client: Client, name: str) -> None:
    """Adds somebody from the directory who may read everything."""
    call(client, said("Add member …"))
    client.enter(said("Search the directory"), name)
    client.wait_row(said("People found"), name)
    client.press(named(said("Add"), "Button"))
    client.wait_part(name, "Button", said("In the room"))
    client.wait(said("Search the directory"), gone=True)  # until the invitation is stored


def accept_invitation(client: Client, room: str = ROOM) -> None:
    """Chooses the invitation in the list of rooms, and accepts it; the room opens by itself."""
    client.keys("Ctrl+2")
    client.wait_row(said("List of rooms"), room)
    client.pick(said("List of rooms"), room)
    client.press(named(said("Accept"), "Button"))
    client.wait(composer(room))


def send(client: Client, text: str, room: str = ROOM) -> None:
    client.enter(composer(room), text, "Return", over=False)
    client.wait_row(messages(), text)


def send_file(client: Client, path: Path, text: str) -> None:
    client.press(said("Attach files"))
    client.choose_file(path)
    client.wait_part(path.name, within=said("Chat"))
    send(client, text)


def mention(client: Client, text: str, name: str) -> None:
    """Writes a message that ends with somebody's name, chosen from the list that "@" opens."""
    client.enter(composer(), f"{text} @{name[:4]}", over=False)
    client.wait_row(said("People to mention"), name)
    client.keys("Tab Return")
    client.wait_row(messages(), text)


def new_document(client: Client, title: str) -> None:
    client.keys(DOCUMENTS)
    ways: list[Name] = [named(said(name), "Button") for name in ("Write the first document", "New document")]
    client.press(ways[client.wait_any(*ways)])
    client.enter(named(said("Title"), "EditableText"), title, "Return")
    client.focus(editor())


def open_document(client: Client, title: str) -> None:
    client.keys(DOCUMENTS)
    documents = named(said("Documents"), "List")
    if client.wait_any(editor(), documents):
        client.pick(documents, title)
    client.focus(editor())


def write_block(client: Client, style: str, text: str) -> None:
    """A paragraph in a style at the end, with Return after it."""
    client.keys(style)
    client.type(f"{text}\n")


def caret_after(client: Client, text: str) -> None:
    """Puts the caret behind a text, by keyboard: finds it, leaves the search, goes to its end."""
    client.focus(editor())
    client.keys("Ctrl+F")
    client.enter(named(said("Find in the document"), "EditableText"), text)
    client.wait(editor(), selected=text)
    client.keys("Escape")
    client.wait(editor(), focused=True)
    client.keys("Right")
    client.wait(editor(), selected="")


def document_text(client: Client) -> str:
    return client.text(editor())


def same_document(one: Client, other: Client, parts: tuple[str, ...]) -> None:
    """Waits until both editors have every part, then compares text and formatting, paragraph by paragraph."""
    for client in (one, other):
        for part in parts:
            client.wait(editor(), contains=part)
    until(lambda: one.document(editor()) == other.document(editor()), "the documents differ")


def cards(client: Client) -> dict[str, list[str]]:
    """The board as it stands: column → cards as a screen reader says them, in order."""
    prefix = said("Cards in {title}", title="")
    areas = [node for node in _nodes(client.tree(said("Board"))) if node[1].startswith(prefix)]
    return {area[1].removeprefix(prefix): [node[1] for node in _nodes(area)[1:] if node[1]] for area in areas}


def _nodes(node: list[Any]) -> list[list[Any]]:
    return [node, *(inner for child in node[3] for inner in _nodes(child))]


def column_of(client: Client, title: str) -> str:
    return next((column for column, names in cards(client).items() if any(title in name for name in names)), "")


def card(title: str) -> dict[str, Any]:
    return named(title, within=said("Board"), part=True)


def person_menu(client: Client, name: str, entry: str) -> None:
    """Opens a person's menu in the people panel and chooses."""
    client.press(named(f"{name}, ", "Button", said("In the room"), part=True))
    client.menu(entry)


def label(client: Client, name: str, colour: str) -> None:
    """Gives the open card a label; makes it if the board has none of that name."""
    new = said(f"New {colour} label …")
    client.press(said("Choose labels …"))
    client.wait(named(new, "MenuItem"))
    if name in client.names("MenuItem"):
        client.menu(name)
        return
    client.menu(new)
    client.enter(named(said("Name"), "EditableText"), name, "Return")
    client.wait(named(name, within=said("Task")))


def add_card(client: Client, new: Card) -> None:
    """A card with its assignee, due date and label, through the panel beside the board."""
    client.press(said("New task in {title}", title=new.column))
    client.enter(named(said("Title"), "EditableText", said("Task")), new.title, "Tab")
    client.choose(named(said("Assigned to"), "ComboBox"), new.assignee)
    client.enter(named(said("Due date"), "EditableText"), new.due, "Return")
    if new.label:
        label(client, new.label, new.colour)
    client.press(said("Close the task"))
    client.wait(card(new.title))


def same_board(one: Client, other: Client) -> dict[str, list[str]]:
    until(lambda: cards(one) == cards(other), f"the boards differ: {cards(one)} and {cards(other)}")
    board = cards(one)
    expect(any(board.values()), f"no cards at all: {board}")
    return board


def type_at_once(one: Client, first: str, other: Client, second: str, pace_ms: int = 8) -> None:
    """Two people type at the same moment."""
    together(one.send("type", text=first, pace_ms=pace_ms), other.send("type", text=second, pace_ms=pace_ms))


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)
