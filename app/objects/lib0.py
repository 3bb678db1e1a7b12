# SPDX-License-Identifier: EUPL-1.2
"""Reads lib0, the encoding of a CRDT's updates, strictly: numbers, texts, ids. Values are in app/objects/values.py.

It checks bytes and keeps nothing; bytes that are not in the one allowed form raise `BadUpdate`.
"""

from collections.abc import Iterator

from app.errors import BadChange

MAX_CLOCK = 2**31
"""Clocks, lengths and the ends of ranges are below this. yrs keeps clocks in 32 bits and subtracts them with a sign."""
MAX_CLIENT = 2**53
"""Clients are below this: yrs drops the higher bits, so that two clients would become one."""
MAX_BYTES = 24 * 1024 * 1024
"""Largest update, with all its pieces joined. The worker takes frames of at most 32 MiB."""
MAX_THINGS = 500_000
"""Most items, ranges, values and characters of two UTF-16 units in one update. Each takes 170 bytes when read."""
PIECE = 1000
"""The work of one piece of reading, in steps of about a microsecond."""
STRETCH = 4096
"""How many bytes of a longer text one step reads. ▲ Otherwise one text of 24 MiB would be one piece."""


class BadUpdate(BadChange):
    """Error: bytes that are no valid update. The code is always "damaged-update"; `where` is the rule that they break,
    `at` the offset of the byte."""

    def __init__(self, where: str, at: int = 0) -> None:
        super().__init__("damaged-update")
        self.where, self.at = where, at

    def __str__(self) -> str:
        return f"{self.code}: {self.where} at byte {self.at}"


class Reader:
    """Reads some bytes (at most MAX_BYTES) from their beginning, strictly. Every method moves its position `at` on, and
    raises BadUpdate where the bytes break a rule or end too early (`stretch` and `texts` do not check the end: `size`
    does it for them). `work` counts the steps since the last pause."""

    __slots__ = ("at", "data", "end", "things", "work")

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.end = data, 0, len(data)
        self.things = 0
        self.work = 0
        """Steps of the piece that is running."""
        if self.end > MAX_BYTES:
            raise BadUpdate("total")

    def byte(self) -> int:
        """Reads the next byte, as a number. BadUpdate "truncated" at the end."""
        at = self.at
        if at >= self.end:
            raise BadUpdate("truncated", at)
        self.at = at + 1
        return self.data[at]

    def number(self, limit: int = MAX_CLOCK) -> int:
        """Reads an unsigned number of seven bits a byte, the lowest first. BadUpdate "number" if it is not in its
        shortest form, "limit" if it is not below `limit` (at least 128: one of a single byte is not compared),
        "truncated" at the end."""
        data, start = self.data, self.at
        at = start
        try:
            value = data[at]
            at += 1
            if value < 0x80:  # most numbers are this short
                self.at = at
                return value
            value &= 0x7F
            shift = 7
            while (byte := data[at]) >= 0x80:
                value |= (byte & 0x7F) << shift
                at += 1
                shift += 7
                if shift > 63:
                    raise BadUpdate("limit", start)
            if not byte:
                raise BadUpdate("number", start)
        except IndexError:
            raise BadUpdate("truncated", at) from None
        value |= byte << shift
        if value >= limit:
            raise BadUpdate("limit", start)
        self.at = at + 1
        return value

    def count(self, least_bytes: int = 1) -> int:
        """Reads the number of things that follow, each of at least `least_bytes` bytes, and counts them towards the
        update's limit. BadUpdate "truncated" if so many do not fit into the rest, "total" above the limit. ▲ yrs
        allocates memory for as many as are named."""
        start = self.at
        value = self.number()
        if value * least_bytes > self.end - self.at:
            raise BadUpdate("truncated", start)
        self.spend(value)
        return value

    def spend(self, things: int) -> None:
        """Counts `things` (items, ranges, values) towards the update's limit; BadUpdate "total" above MAX_THINGS. ▲
        Otherwise 24 MiB of things of two bytes each would take over 2 GB to judge."""
        self.things += things
        if self.things > MAX_THINGS:
            raise BadUpdate("total", self.at)

    def take(self, size: int) -> bytes:
        """Reads the next `size` bytes. BadUpdate "truncated" if there are fewer."""
        at = self.at
        if size > self.end - at:
            raise BadUpdate("truncated", at)
        self.at = at + size
        return self.data[at : at + size]

    def tired(self, steps: int = 1) -> bool:
        """Adds `steps` to the work since the last yield. Once that reaches PIECE it returns True and counts from zero
        again: the caller must yield now, so that the event loop can run."""
        self.work += steps
        if self.work < PIECE:
            return False
        self.work = 0
        return True

    def size(self) -> int:
        """Reads the number of the bytes that follow, but not those bytes. BadUpdate "truncated" if the rest is
        shorter."""
        size = self.number()
        if size > self.end - self.at:
            raise BadUpdate("truncated", self.at)
        return size

    def text(self) -> str:
        """Reads a text in UTF-8, without surrogates, with its length before it. BadUpdate "text" or "truncated". ▲ yrs
        before 0.28 does not check this: its behaviour is undefined for other bytes."""
        return self.stretch(self.at, self.size())

    def stretch(self, start: int, size: int) -> str:
        """Reads the next `size` bytes as UTF-8. `size` is a number that `size()` returned: whether so many bytes are
        there is not checked again. BadUpdate "text", which names the offset `start`, if they are no UTF-8."""
        at = self.at
        self.at = at + size
        self.work += size >> 6
        try:
            return str(self.data[at : at + size], "utf-8")
        except UnicodeDecodeError:
            raise BadUpdate("text", start) from None

    def texts(self, start: int, size: int) -> Iterator[str]:
        """Reads the next `size` bytes as UTF-8 in stretches that end between characters; "" if `size` is 0. `size` is a
        number that `size()` returned: whether so many bytes are there is not checked again. BadUpdate "text", which
        names the offset `start`, if they are no UTF-8."""
        end = self.at + size
        while (cut := self.at + STRETCH) < end:
            for _ in range(3):
                cut -= self.data[cut] & 0xC0 == 0x80
            yield self.stretch(start, cut - self.at)
        yield self.stretch(start, end - self.at)

    def ident(self) -> tuple[int, int]:
        """An id: client and clock."""
        return self.number(MAX_CLIENT), self.number()
