# SPDX-License-Identifier: EUPL-1.2
"""`python -m ui`: the desktop application."""

import sys
from collections.abc import Sequence

from ui.main import main


def arguments(given: Sequence[str]) -> list[str]:
    """What follows `--link` is one link, whatever it looks like: a web page writes it, and Windows splits it into
    arguments at quotes that the page put in."""
    return ["--", " ".join(given[1:])] if given[:1] == ["--link"] else list(given)


if __name__ == "__main__":
    sys.exit(main(arguments(sys.argv[1:])))
