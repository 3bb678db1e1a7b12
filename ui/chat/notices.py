# SPDX-License-Identifier: EUPL-1.2
"""The words of the notices that conversations make: mentions, answers, messages of two, reactions."""

from app.chat import noticing
from app.chat.service import ChatService
from app.notices.service import NoticeRow
from app.objects.links import Linked, ObjectLink
from ui.kit.translate import tr, trn
from ui.tool import ShownNotice


def _quoted(who: str, text: str) -> str:
    return f"{who}: {text}" if who and text else who or text


def _mention(_notice: NoticeRow, who: str, room: str, text: str) -> tuple[str, str]:
    return tr("You were mentioned in {room}").format(room=room), _quoted(who, text)


def _reply(_notice: NoticeRow, who: str, room: str, text: str) -> tuple[str, str]:
    return tr("You have an answer in {room}").format(room=room), _quoted(who, text)


def _direct(_notice: NoticeRow, who: str, room: str, text: str) -> tuple[str, str]:
    return tr("Message from {name}").format(name=who or room), text


def _reaction(notice: NoticeRow, _who: str, room: str, text: str) -> tuple[str, str]:
    words = trn("{n} reaction to your message in {room}", "{n} reactions to your message in {room}", notice.count)
    return words.format(n=notice.count, room=room), text


def _line(service: ChatService, link: ObjectLink) -> Linked | None:
    return service.line(link)


def _hidden_mentions(n: int) -> str:
    return tr("You were mentioned in a room.") if n == 1 else tr("You were mentioned {n} times.").format(n=n)


NOTICES: tuple[ShownNotice[ChatService], ...] = (
    ShownNotice(
        kind=noticing.MENTION.id,
        icon="mention",
        name="Mentions",
        words=_mention,
        hidden=_hidden_mentions,
        linked=_line,
        counted=True,
    ),
    ShownNotice(
        kind=noticing.REPLY.id,
        icon="reply",
        name="Answers to me",
        words=_reply,
        hidden=lambda n: trn("You have {n} answer.", "You have {n} answers.", n).format(n=n),
        linked=_line,
        counted=True,
    ),
    ShownNotice(
        kind=noticing.DIRECT.id,
        icon="chat",
        name="Messages to me",
        words=_direct,
        hidden=lambda n: trn("{n} new message", "{n} new messages", n).format(n=n),
        linked=_line,
        counted=True,
    ),
    ShownNotice(
        kind=noticing.REACTION.id,
        icon="emoji",
        name="Reactions to my messages",
        words=_reaction,
        hidden=lambda _n: tr("Somebody reacted to your message."),
        linked=_line,
        counted=False,
    ),
)
