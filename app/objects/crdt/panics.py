# SPDX-License-Identifier: EUPL-1.2
"""pycrdt's panics as errors of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import BadChange, BugError


class DamagedUpdate(BadChange):
    """The given bytes are no valid update or position. The document is as it was before. `where` says what was being
    read."""

    def __init__(self, where: str = "update") -> None:
        super().__init__("damaged-update")
        self.where = where


@contextmanager
def panics(error: type[BugError] | type[DamagedUpdate], where: str, *, panics_only: bool = False) -> Iterator[None]:
    """A context that turns pycrdt's panics, and its refusals to decode (ValueError), into `error`. `where`: what was
    being done, for the error's text. `panics_only`: leaves ValueError as it is.

    PanicException cannot be imported and is no Exception; it is recognised by its name, so that KeyboardInterrupt and
    CancelledError pass.
    """
    try:
        yield
    except ValueError as problem:
        if panics_only:
            raise
        raise error(where) from problem
    except BaseException as problem:
        if type(problem).__name__ == "PanicException":
            raise error(where) from None
        raise
