# SPDX-License-Identifier: EUPL-1.2
"""`python -m ui`: the desktop application."""

import sys
from collections.abc import Sequence


def arguments(given: Sequence[str]) -> list[str]:
    """The arguments for the program's parser: those given, unchanged, unless the first is `--link`. All that follows
    `--link` is then one link, whatever it looks like: ["--", the parts joined by spaces]. A web page writes the link,
    and Windows splits it into arguments at quotes that the page put in; after "--" no part is read as an option."""
    return ["--", " ".join(given[1:])] if given[:1] == ["--link"] else list(given)


def run(given: Sequence[str], command: Sequence[str] = ()) -> int:
    """Runs the program with the arguments `given` and returns its exit status. `command` starts the program again after
    locking; empty: the one that started this process.

    Purging, the check of policies, the worker, conversions, the viewer's process and that of a smart card run without
    Qt. A box saying that Qt cannot be loaded would wait for a person, and an uninstaller would wait for the box.
    """
    if given[:1] == ["--worker"]:
        from app.worker import spare

        spare.spare()
        from app.worker import serve

        return serve.main(given[1:])
    if list(given) == ["--convert"]:
        from app.documents.conversion import process

        return process.main()
    if list(given) == ["--view"]:
        from app.viewing import process as viewing

        return viewing.main()
    if given[:1] == ["--card"]:
        from app.card import process as card

        return card.main(given[1:])
    if list(given) == ["--purge-machine"]:
        from app import purging

        return purging.main()
    if given[:1] == ["--check-policies"]:
        from app import policy_check

        return policy_check.main(given[1:])
    from app.core import garbage

    garbage.hold()
    from ui import sources

    sources.leave_unread()
    from ui.main import main

    return main(arguments(given), command)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
