# SPDX-License-Identifier: EUPL-1.2
"""What a command of the server said on standard error."""

import re

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ sync\.server\S* [A-Z]+ .*\n")


def said(err: str) -> str:
    """What a command itself wrote to standard error: the captured `err` without the log lines of sync.server. While a
    command runs, standard error also gets what a server logs that the test runs in the same process."""
    return _LOGGED.sub("", err)
