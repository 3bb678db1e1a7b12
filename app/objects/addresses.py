# SPDX-License-Identifier: EUPL-1.2
"""Web and mail addresses that people write: judged when they are read, opened as one exact address, shown as they lead.

An address is http, https or mailto, or one of Kansli's own links. The forms that a person sees (`host`, `shown`) and
the form that the browser gets (`opened`) come from the same parsing, and the browser gets a host in ASCII: programs
differ in how they read other letters, user names before an @, and backslashes.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from urllib.parse import SplitResult, parse_qsl, urlsplit

from app.core.visible import hides, one_line, reorders
from app.objects.links import ObjectLink

MAX_ADDRESS = 2000
_LONG_LABEL = 300
"""Characters. A longer label is not searched for host names: its address is shown anyway."""
_ASCII_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_FAMILIAR_HOST = re.compile(r"[a-z0-9ß-öø-ÿ._-]+|\[[0-9a-f:.]+\]")
"""Latin letters with the accents of western Europe. Any other letter may look like one of these."""
_HOST_LIKE = re.compile(r"(?:[\w-]{1,63}\.)+(?:xn--[\w-]{1,59}|[^\W\d_]{2,63})|\d{1,3}(?:\.\d{1,3}){3}")
_BARE = re.compile(r"[\w-]+(\.[\w-]+)+([:/?#].*)?")
_DOTS = str.maketrans({"\u3002": ".", "\uff61": "."})
_MAIL_APART = re.compile("[,;]")
_MAIL_FIELDS = {"subject", "body", "cc"}
"""Other fields, such as `attach`, make some mail programs add files."""


def safe_link(text: str) -> str:
    """Checks an address that a person wrote: http, https, mailto, or one of Kansli's own links. Returns it without
    white space and with a scheme (https, or mailto for a mail address) if it lacked one; "" if it may not be linked to.
    2 µs for an address that was checked before."""
    return _judged(text) if len(text) <= 2 * MAX_ADDRESS else ""


@lru_cache(512)
def _judged(text: str) -> str:
    link = "".join(text.split())
    if not link or len(link) > MAX_ADDRESS or not link.isprintable():
        return ""
    if link.startswith("kansli:"):
        return link if ObjectLink.parse(link) is not None else ""
    parts = _split(link)
    if parts is not None and _hosts(link):
        return parts.scheme + link[len(parts.scheme) :]
    if "@" in link and ":" not in link and "/" not in link:
        return _if_address(f"mailto:{link}")
    return _if_address(f"https://{link}") if _BARE.fullmatch(link) else ""


def _if_address(link: str) -> str:
    return link if _hosts(link) else ""


def opened(link: str) -> str:
    """The address that the browser or mail program gets: as written, but with the hosts in ASCII."""
    return _with_host(link, lambda name: name)


def host(link: str) -> str:
    """The host of a web address, or the whole mail address, for a person to read; "" if the address may not be opened,
    and for Kansli's own links. Several mail addresses are joined by ", ". A host with unfamiliar letters is shown in
    ASCII too, since letters of other scripts look like ours: "аpple.com (xn--pple-43d.com)"."""
    if link.startswith("mailto:"):
        return ", ".join(f"{name}@{_read_host(at)}" for name, at in _recipients(link))
    return ", ".join(map(_read_host, _hosts(link)))


def shown(link: str) -> str:
    """The whole address for a person to read: with each host in ASCII that is unfamiliar."""
    return _with_host(link, lambda name: _unicode(name) if _is_familiar(name) else name)


def _with_host(link: str, write: Callable[[str], str]) -> str:
    parts, hosts = _split(link), _hosts(link)
    if parts is None or not hosts:
        return link
    if parts.scheme == "mailto":
        return parts._replace(path=",".join(f"{name}@{write(at)}" for name, at in _recipients(link))).geturl()
    port = f":{parts.port}" if parts.port is not None else ""
    return parts._replace(netloc=write(hosts[0]) + port).geturl()


def _recipients(link: str) -> list[tuple[str, str]]:
    """The recipients of a mail address that may be opened: each as (what is before the @, its host in ASCII). [] if it
    may not be opened."""
    hosts = _hosts(link)
    names = [address.partition("@")[0] for address in urlsplit(link).path.split(",")] if hosts else []
    return list(zip(names, hosts, strict=True))


def notes(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """Which links of a line need their true host beside them. `pieces`: the line's parts as (text, address of its link
    or ""). Returns for each part the host to show after it, or "". If neighbouring links have the same host, only the
    last gets it.

    A link gets its host if its text names a different host or mail address, is very long or has hidden characters, if
    the host has unfamiliar letters, or if letters of the line are reordered on screen. Neighbouring links are read
    together, with the characters close to them. Otherwise "skatteverket" and ".se" could be two links, and the host
    that a person reads would not be theirs.
    """
    whole = "".join(text for text, _ in pieces)
    turned = reorders(whole)
    found: list[str] = []
    end = 0
    for linked, group in groupby(pieces, lambda piece: bool(_hosts(piece[1]))):
        neighbours = list(group)
        begin, end = end, end + sum(len(text) for text, _ in neighbours)
        found += _notes(neighbours, _around(whole, begin, end), turned) if linked else [""] * len(neighbours)
    return found


def _notes(pieces: Sequence[tuple[str, str]], label: str, turned: bool) -> list[str]:
    """The hosts to show after linked parts of a text that follow each other. `pieces`: (text, link) of each part.
    `label`: the text that a person reads there. `turned`: letters of the line are shown in another order than they are
    written. A list of "" unless a host is in doubt: `turned`, different hosts, a host with unfamiliar letters, or a
    label that names a different one, is very long or has hidden characters. Otherwise each part's host, but "" for a
    part before one with the same host."""
    hosts = [host(link) for _, link in pieces]
    doubtful = turned or len(set(hosts)) > 1 or _is_unfamiliar(pieces[0][1]) or _names_another(label, pieces[0][1])
    if not doubtful:
        return [""] * len(pieces)
    return [name if name != after else "" for name, after in zip(hosts, [*hosts[1:], ""], strict=True)]


def _around(whole: str, begin: int, end: int) -> str:
    """The characters of `whole` from `begin` to `end`, extended at both ends to whole words, that is to white space,
    until the result has more than _LONG_LABEL (300) characters."""
    while begin and end - begin <= _LONG_LABEL and not whole[begin - 1].isspace():
        begin -= 1
    while end < len(whole) and end - begin <= _LONG_LABEL and not whole[end].isspace():
        end += 1
    return whole[begin:end]


def _names_another(label: str, link: str) -> bool:
    if len(label) > _LONG_LABEL or hides(label):
        return True
    plain = unicodedata.normalize("NFKC", label.translate(_DOTS)).casefold()
    true = {_bare(host) for host in _hosts(link)}
    words = plain.split()
    if link.startswith("mailto:"):
        mails = {mail: _mailbox(mail) for word in words for mail in _MAIL_APART.split(word)}
        words = [mail for mail, box in mails.items() if not box]
        if not {box for box in mails.values() if box} <= {_mailbox(to) for to in urlsplit(link).path.split(",")}:
            return True
    named = [_HOST_LIKE.search(word.partition("://")[2] or word) for word in words]
    return any(_bare(_ascii(match[0])) not in true for match in named if match)


def _mailbox(text: str) -> str:
    """The mail address that `text` is, in the form in which two are compared: in small letters, with the host in ASCII.
    "" if it is none."""
    name, _, host = text.casefold().removeprefix("mailto:").strip("<>()[]:!?\"'.").partition("@")
    found = _HOST_LIKE.fullmatch(host)
    return f"{name}@{_ascii(host)}" if name and found else ""


def _bare(name: str) -> str:
    return name.removeprefix("www.")


def _is_unfamiliar(link: str) -> bool:
    return not all(_is_familiar(name) for name in _hosts(link))


def _is_familiar(name: str) -> bool:
    return _FAMILIAR_HOST.fullmatch(_unicode(name)) is not None


def _read_host(name: str) -> str:
    """A host in ASCII as a person reads it."""
    return _unicode(name) if _is_familiar(name) else f"{one_line(_unicode(name))} ({name})"


@lru_cache(512)
def _hosts(link: str) -> tuple[str, ...]:
    """The hosts of an address, in ASCII: one of a web address, one for each recipient of a mail address. Empty for
    Kansli's own links, and if the address may not be opened."""
    parts = _split(link)
    if parts is None:
        return ()
    if parts.scheme == "mailto":
        return _mail_hosts(parts)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or parts.hostname is None:
        return ()
    name = _ascii(parts.hostname)
    return (name,) if name else ()


def _mail_hosts(parts: SplitResult) -> tuple[str, ...]:
    fields = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.netloc or parts.fragment or "%" in parts.path or not fields <= _MAIL_FIELDS:
        return ()
    addresses = [address.split("@") for address in parts.path.split(",")]
    hosts = tuple(_ascii(address[-1]) for address in addresses)
    return hosts if all(hosts) and all(len(a) == 2 and a[0] for a in addresses) else ()


def _split(link: str) -> SplitResult | None:
    try:
        parts = urlsplit(link)
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    return parts


@lru_cache(512)
def _ascii(name: str) -> str:
    """A host name in ASCII (IDNA) and small letters; an IPv6 address in brackets; "" if it is not a valid one."""
    name = name.lower().rstrip(".")
    if ":" in name:
        return f"[{name}]" if re.fullmatch(r"[0-9a-f:.]+", name) else ""
    if not name.isascii() and len(name) <= 253:
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return ""
    return name if len(name) <= 253 and _ASCII_HOST.fullmatch(name) else ""


@lru_cache(512)
def _unicode(name: str) -> str:
    """A host in IDNA's ASCII form ("xn--…") in its own letters; unchanged if it cannot be decoded."""
    try:
        return name.encode().decode("idna")
    except UnicodeError:
        return name
