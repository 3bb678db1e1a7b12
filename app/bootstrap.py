# SPDX-License-Identifier: EUPL-1.2
"""From a profile to a Session: unlocking, and the ways of app/arrival/ to an account. All parts are joined here."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from app.arrival.account_recovery import AccountRecovery
from app.arrival.device_pairing import DevicePairing
from app.arrival.egress import Routes
from app.arrival.enrolling import Enrolling
from app.arrival.place import Dial, Place
from app.arrival.resuming import resume
from app.card.reader import CardReader
from app.core import log
from app.errors import BugError, NotRevoked, SlotForbidden, StoreFault
from app.kinds import TOOLS
from app.lock_settings import CARD_MODULE
from app.passphrases import rules_of
from app.policy import Policy, machine
from app.profile import Profile
from app.session import Session
from app.settings import LOG_LEVEL, Settings
from app.store.keyslots import KeySlots, SlotKind, StoreKeys, raw_key_from_env
from app.tool import AnyTool
from app.unlocking import KeyChange, Proof, Unlocking
from sync.client.devices.own_devices import REVOKED
from sync.client.wire.egress import WebSocketDialer


class Office:
    """The program before and between sessions: one profile, locked for this process, with everything that unlocks its
    account or makes one."""

    def __init__(
        self,
        profile: Profile,
        *,
        insecure_loopback: bool = False,
        routes: Routes | None = None,
        dial: Dial = WebSocketDialer,
        read_policy: Callable[[], Policy] = machine,
        tools: Sequence[AnyTool] = TOOLS,
    ) -> None:
        """`insecure_loopback`: allow a server on this computer without TLS. `routes`: how the desktop finds proxies.
        `dial` gets a server's address and a function that returns the present rules for connections, and returns what
        opens connections to that server. `read_policy` returns the policy that is in force on this machine now.
        `tools`: those that sessions have."""
        self.profile = profile
        self._read_policy = read_policy
        self.policy = read_policy()
        self.settings = Settings(profile.settings_path, self.policy.fixed, self.policy.defaults)
        self.settings.changed.connect(self._on_setting)
        self.slots = KeySlots(
            profile.slots_folder,
            profile.id,
            card=CardReader(lambda: self.settings.get(CARD_MODULE)),
            allowed=_allowed(self.settings),
            rules=rules_of(self.settings),
        )
        self.unlocking = Unlocking(profile, self.settings, self.slots)
        self.place = Place(
            profile,
            self.settings,
            self.slots,
            insecure_loopback=insecure_loopback,
            routes=routes or Routes(),
            dial=dial,
            tools=tools,
        )
        self.enrolling = Enrolling(self.place)
        self.pairing = DevicePairing(self.place)
        self.recovering = AccountRecovery(self.place)
        # what the interface's ports ask of enrolment, pairing and recovery
        self.allowed = self.unlocking.allowed
        self.passphrase_rules = self.unlocking.passphrase_rules
        self.keyring_available = self.place.keyring_available
        self.look_up = self.enrolling.look_up
        self.enrol = self.enrolling.enrol
        self.begin_pairing = self.pairing.begin_pairing
        self.stop_pairing = self.pairing.stop_pairing
        self.join = self.pairing.join
        self.look_up_account = self.recovering.look_up_account
        self.recover = self.recovering.recover
        self.ask_again = self.recovering.ask_again

    @property
    def is_new(self) -> bool:
        """Whether nobody has enrolled in this profile yet."""
        return self.place.is_new

    @property
    def is_unfinished(self) -> bool:
        """Whether an enrolment was cut off before the server confirmed the account: call `resume` or `start_over`."""
        return self.place.is_unfinished

    def kinds(self) -> Sequence[SlotKind]:
        """The unlock methods that can open the store now. After a curtain that nobody lifted, a silent key store is
        none of them if there are other methods. StoreUnwritable if they cannot be listed."""
        return self.unlocking.opening()

    @property
    def withholds_keyring(self) -> bool:
        """Whether the computer's key store is an unlock method but does not open the store now, after a curtain that
        nobody lifted."""
        return SlotKind.KEYRING in self.slots.kinds() and SlotKind.KEYRING not in self.kinds()

    def renew_policy(self) -> None:
        """Reads the machine's policy again and applies it if it has changed. An open session stays open. An unlock
        method that policy now forbids opens nothing any more. Only if policy allows none of those that exist, they
        still do until one is replaced."""
        policy = self._read_policy()
        if policy == self.policy:
            return
        self.policy = policy
        self.settings.renew(self.policy.fixed, self.policy.defaults)
        self.slots.allow(_allowed(self.settings), rules_of(self.settings))
        self.policy.log_findings()

    def _on_setting(self, key: str) -> None:
        if key == LOG_LEVEL.key:
            log.set_level(self.settings.get(LOG_LEVEL))

    # -- an enrolment that was cut off ----------------------------------------------------------------------------

    async def resume(self, passphrase: str) -> Session:
        """Finishes what an earlier run of the program began. Raises as `unlock` and as app/arrival/resuming.py."""
        return await resume(self.place, await asyncio.to_thread(self.slots.unlock_passphrase, passphrase))

    async def resume_by_keyring(self) -> Session:
        """As `resume`, with the computer's key store."""
        return await resume(self.place, await asyncio.to_thread(self.slots.unlock_keyring))

    def start_over(self) -> None:
        """Removes the store of an unfinished enrolment, pairing or recovery, so that the profile is new. BugError if
        nothing is unfinished: a finished account is never removed."""
        if not self.is_unfinished:
            raise BugError("only an unfinished enrolment can be started over")
        self.place.clear()
        log.store.info("started-over")

    # -- unlocking ------------------------------------------------------------------------------------------------

    async def unlock(self, passphrase: str) -> Session:
        """Raises WrongPassphrase, StoreCorrupt, StoreNewer, …"""
        return await self._opened(await asyncio.to_thread(self.slots.unlock_passphrase, passphrase))

    async def unlock_keyring(self) -> Session:
        """Raises KeyringLocked, NoKeyring, NoSlot, StoreCorrupt, …; SlotForbidden after a curtain that this key store
        could not have lifted."""
        if SlotKind.KEYRING not in self.kinds():
            raise SlotForbidden
        return await self._opened(await asyncio.to_thread(self.slots.unlock_keyring))

    async def open_by_card(self, keys: StoreKeys) -> Session:
        """Opens a session with the keys that the smart card gave (`Unlocking.unlock_card`). Raises StoreCorrupt, …"""
        return await self._opened(keys)

    async def _opened(self, keys: StoreKeys) -> Session:
        """▲ The curtain's mark goes once the store is open. Otherwise a method that does not open it, such as a key
        slot of another store, would let the silent key store open it at the next start."""
        session = await self.place.open(keys)
        self.unlocking.note_lifted()
        return session

    async def rekey(self, change: KeyChange) -> Session:
        """Changes the passphrase or removes an unlock method, as `change` says, after the former session was closed.
        The database gets a new key. Opens a new session. Raises WrongPassphrase, WeakPassphrase, LastSlot (no method
        would remain), KeyringLocked, NoKeyring, NoSlot, SlotForbidden, SlotDamaged, StoreFault; BadCaFile if only the
        opening failed."""
        return await self.place.open(await asyncio.to_thread(self.unlocking.rekey, change))

    async def replace(self, current: Proof, new: str | None) -> Session:
        """Opens a session by an unlock method that policy has forbidden, for the last time, and replaces the method.
        `current`: the passphrase or the card's PIN if that is the forbidden method, None for the key store; `new`: the
        passphrase to use from now on, None for the key store. Raises WrongPassphrase, CardFault, WeakPassphrase,
        SlotForbidden (policy forbids the new method too), KeyringLocked, NoKeyring, NoSlot, SlotDamaged, StoreFault;
        BadCaFile if only the opening failed."""
        return await self.place.open(await self.unlocking.replaced(current, new))

    async def unlock_raw(self) -> Session | None:
        """Opens a session with the raw key in the environment (for benches, tests and the demo); None if there is none.
        Raises SlotDamaged if it is no valid key, StoreMissing, StoreCorrupt and other StoreFaults, BadCaFile."""
        keys = raw_key_from_env()
        return await self.place.open(keys) if keys is not None else None

    # -- the end --------------------------------------------------------------------------------------------------

    async def erase(self, session: Session) -> None:
        """▲ Closes the session and removes everything of its account, if the account's own log, verified here, revokes
        this device. Raises NotRevoked otherwise, also for an account that the agency has reset. Afterwards the profile
        is new. What the disk refused to store is lost."""
        if session.devices.ended != REVOKED:
            raise NotRevoked
        with contextlib.suppress(StoreFault):  # what could not be kept is removed anyway
            await session.close()
        self.place.clear()
        log.store.warning("erased")


def _allowed(settings: Settings) -> frozenset[SlotKind]:
    return frozenset(SlotKind(kind) for kind in settings.unlock_kinds())
