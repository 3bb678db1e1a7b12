# SPDX-License-Identifier: EUPL-1.2
"""A board on which two people make, link and move cards."""

from tests.demo import sample
from tests.demo.doing import CHAT, TASKS, add_card, card, column_of, composer, messages, open_room, same_board
from tests.demo.driver import Client, named
from tests.demo.sample import LAWYER, ROOM
from tests.demo.stage import Stage, until
from tests.demo.words import said


class Board:
    """`a` is the case handler, `b` the head of unit; `lawyer` is invited and started, and is wanted next."""

    def __init__(self, stage: Stage, a: Client, b: Client, lawyer: Client) -> None:
        self.stage = stage
        self.a = a
        self.b = b
        self.lawyer = lawyer

    def a_makes_cards(self) -> None:
        """the case handler makes cards, each assigned and due"""
        self.stage.invite(LAWYER)
        self.a.keys(TASKS)
        for new in sample.CARDS:
            add_card(self.a, new)
        self.lawyer.start()

    def b_is_given_cards(self) -> None:
        """the head of unit was given some of them: Home says so, and the notice leads to the card"""
        given = said("You were given a task in {room}", room=ROOM)
        self.b.keys("Ctrl+1")
        self.b.wait_part(sample.MASK, "Button", said("Home"))
        self.b.shot(self.stage.out / "task-given.png")
        self.b.press(named(f"{given}, {sample.MASK}", "Button", said("Home"), part=True, nth=0))
        self.b.press(said("Close the task"))

    def b_sees_cards(self) -> None:
        """the head of unit sees the same board, and the assigned ones under My tasks"""
        self.b.keys(TASKS)
        for new in sample.CARDS:
            self.b.wait(card(new.title))
        same_board(self.a, self.b)
        self.b.keys("Ctrl+3")
        self.b.wait_part(sample.MASK, within=said("My tasks"))
        open_room(self.b)
        self.b.keys(TASKS)

    def a_links_card(self) -> None:
        """the case handler links a card in the chat, where it stands below the message"""
        self.a.focus(card(sample.MASK))
        self.a.keys("Menu")
        self.a.menu(said("Copy link"))
        self.a.keys(CHAT)
        self.a.focus(composer())
        self.a.keys("Ctrl+V Return")
        self.a.wait_row(messages(), sample.MASK)
        self.b.keys(CHAT)
        self.b.wait_row(messages(), sample.MASK)
        for client in (self.a, self.b):
            client.keys(TASKS)

    def b_moves_by_keys(self) -> None:
        """the head of unit moves a card by keyboard"""
        self.b.focus(card(sample.CARDS[2].title))
        self.b.keys("Ctrl+Right")
        until(lambda: column_of(self.a, sample.CARDS[2].title) == sample.DOING, "the card did not move for the other")
        same_board(self.a, self.b)

    def a_moves_by_mouse(self) -> None:
        """the case handler drags a card with the mouse"""
        self.a.drag(card(sample.REASONING), named(said("Cards in {title}", title=sample.REVIEW)), (0.5, 0.2))
        until(lambda: column_of(self.b, sample.REASONING) == sample.REVIEW, "the card did not move for the other")
        same_board(self.a, self.b)
