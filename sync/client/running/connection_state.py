# SPDX-License-Identifier: EUPL-1.2
"""The state of the connection as it is shown. The parts that move the connection set it; it decides nothing."""

from collections.abc import Callable

from sync.client.status import LinkState


class ConnectionState:
    """The state of the connection to the server as it is shown to the person: whether it is online, and why not. Each
    `show` calls `on_status`, without arguments, also if nothing has changed; it must not raise. `last_synced_ms` is
    when everything that was received was last stored, by this device's clock; setting it does not call `on_status`."""

    def __init__(self, on_status: Callable[[], None]) -> None:
        self._on_status = on_status
        self.link = LinkState.CONNECTING  # unknown until the first attempt has ended
        self.code: str | None = None
        """Why it is OFFLINE or ERROR."""
        self.about = ""
        """The address that `code` concerns, if it names one."""
        self.last_synced_ms: int | None = None
        """When everything that was received was last judged and stored, by this device's clock."""

    def show(self, link: LinkState, code: str | None = None, about: str = "") -> None:
        """Sets the state that is shown to the person to `link`, and calls `on_status` without arguments. `code`: the
        reason why it is offline or in error; None for none. `about`: the address that the reason concerns; "" for none.
        Both replace the former ones."""
        self.link, self.code, self.about = link, code, about
        self._on_status()
