# SPDX-License-Identifier: EUPL-1.2
"""Finishes an account that is kept here and that the server has not confirmed, whether it was enrolled, paired or
recovered."""

from app.arrival.place import Place, keep_account
from app.core import clock
from app.errors import NotEnrolled, ReturnWaits
from app.session import Session
from app.settings import SERVER
from app.store.keyslots import StoreKeys
from app.store.store import Store
from sync.client.account.account_recovery import Attempt, Recovery, Waiting
from sync.client.account.account_secrets import Account
from sync.client.account.enrolment import FIRST_ENTRIES, register


async def resume(place: Place, keys: StoreKeys) -> Session:
    """Finishes an account that this run of the program or an earlier one made, and opens it. `keys`: the database keys
    that an unlock method gave. Raises NotEnrolled if no account was kept; Refused "code-…" if the server never took the
    account and will not take it any more; ReturnWaits while the other devices may object to a recovery, Refused
    "vetoed" if one has; other SyncErrors such as Unreachable, after which it may be tried again; StoreMissing,
    StoreCorrupt and other StoreFaults; BadAddress, ServerNotAllowed, BadCaFile."""
    store = place.open_store(keys)
    try:
        attempt, kept = store.account.attempt(), store.load_account()
        if attempt is not None:
            await _ask_back(place, store, attempt)
        elif kept is None:
            raise NotEnrolled()
        else:
            account = Account.decode(kept)
            entries = store.user_log(account.uid)
            if len(entries) == FIRST_ENTRIES:  # a device that was let in by another is in the log already
                server = place.settings.get(SERVER)
                await register(place.dialer(server), account.agency_pk, entries, clock.now_ms)
    finally:
        store.close()
    place.confirm()
    return await place.open(keys)


async def _ask_back(place: Place, store: Store, attempt: bytes) -> None:
    """Asks the server whether the recovery that `attempt` began can be finished now, and if so stores the recovered
    account and deletes the stored `attempt`, which is an encoded Attempt (recovery by the recovery sheet). Otherwise it
    stays: ReturnWaits while another device of the person may still object; Refused "vetoed" if it has, other SyncErrors
    such as Unreachable, BadAddress, ServerNotAllowed, BadCaFile."""
    answer = await Recovery(place.dialer(place.settings.get(SERVER)), Attempt.decode(attempt), clock.now_ms).ask()
    if isinstance(answer, Waiting):
        raise ReturnWaits(answer.ready_ms)
    with store.transaction():
        keep_account(store, answer)
        store.account.keep_attempt(None)
