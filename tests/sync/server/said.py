# SPDX-License-Identifier: EUPL-1.2
"""What a command of the server said on standard error."""

import re

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ sync\.server\S* [A-Z]+ .*\n")


def said(err: str) -> str:
    """`err` without what a server logged that runs in the same process: while a command runs, all logs go there."""
    return _LOGGED.sub("", err)
