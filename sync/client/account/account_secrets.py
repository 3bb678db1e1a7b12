# SPDX-License-Identifier: EUPL-1.2
"""The account's own secrets as the engine keeps them in the application's store: version 4, deterministic CBOR."""

from dataclasses import dataclass, field

from sync.crypto.encoding import dec, enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Uid
from sync.trust.formats import fields
from sync.trust.person.author import Author, DeviceSecrets, puk_key
from sync.trust.person.recovery_sheet import PAIR_BYTES
from sync.trust.person.user_log import UserLog

VERSION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person's account on this device: the ids of person and device, the agency's public key, and the secrets.
    `secrets` are the device's own keys. `puk_seeds` are the seeds of the person's key (PUK), which their devices share,
    by generation: those that this device could open.

    `secrets.root` is empty where the person's root key is not stored: at a second device, and once the root key is on
    the recovery sheet.
    """

    uid: Uid
    dev: DevId
    agency_pk: bytes
    secrets: DeviceSecrets
    puk_seeds: dict[int, bytes]
    recovery_sheet: bytes = field(default=b"", repr=False)
    """Both halves of a recovery sheet (`RecoveryPair`) from the person's yes until the log has all entries of it; empty
    at other times."""
    vetoed: tuple[DevId, ...] = ()
    """Devices that asked to be added by the recovery sheet and that the person vetoed on this device."""
    signing: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signing", SigningKey(self.secrets.sign))

    def author(self, log: UserLog) -> Author:
        """This device as the signer of entries and envelopes, with the newest own log."""
        return Author(uid=self.uid, dev=self.dev, signing=self.signing, ulog=(log.seq, log.head))

    @property
    def kem(self) -> KemKey:
        """The key to which PUK generations are sealed at this device."""
        return KemKey(self.secrets.kem)

    def puk(self, gen: int) -> KemKey | None:
        """The private key of the person in generation `gen`, to which room keys are sealed; None if this device does
        not have it."""
        seed = self.puk_seeds.get(gen)
        return puk_key(seed) if seed else None

    def encode(self) -> bytes:
        s = self.secrets
        seeds, vetoed = dict(self.puk_seeds), list(self.vetoed)
        return enc(
            [VERSION, self.uid, self.dev, self.agency_pk, s.sign, s.kem, s.root, seeds, self.recovery_sheet, vetoed]
        )

    @classmethod
    def decode(cls, data: bytes) -> "Account":
        """Reads an account from `data`, the bytes that `encode` made. Reject "format" for a newer version, "old-format"
        for an older one; "malformed", "encoding" or "oversize" if the bytes are damaged."""
        parts = fields.versioned(dec(data, limit=65536), VERSION, 10, "account")
        uid, dev, agency, sign, kem, root, seeds, recovery_sheet, vetoed = parts
        if type(seeds) is not dict:
            raise Reject("malformed", "account")
        return cls(
            uid=Uid(fields.raw(uid, 16, "account")),
            dev=DevId(fields.raw(dev, 16, "account")),
            agency_pk=fields.raw(agency, 32, "account"),
            secrets=DeviceSecrets(
                sign=fields.raw(sign, 32, "account"),
                kem=fields.raw(kem, 32, "account"),
                root=fields.raw(root, (0, 32), "account"),
            ),
            puk_seeds={fields.u64(g, "account"): fields.raw(s, 32, "account") for g, s in seeds.items()},
            recovery_sheet=fields.raw(recovery_sheet, (0, PAIR_BYTES), "account"),
            vetoed=tuple(DevId(fields.raw(d, 16, "account")) for d in fields.items(vetoed, "account", 1000)),
        )

    def __repr__(self) -> str:
        return f"Account({self.uid.hex()})"
