# SPDX-License-Identifier: EUPL-1.2
"""The account's own secrets as the engine keeps them in its owner's store: version 2, deterministic CBOR.

Version 1 is read too: it always has a root.
"""

from dataclasses import dataclass, field

from sync.crypto.encoding import dec, enc
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Uid
from sync.trust import fields
from sync.trust.author import Author, DeviceSecrets, puk_key
from sync.trust.userlog import UserLog

VERSION = 2
_READ = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who this device is. `puk_seeds` by generation; the only part that grows.

    `secrets.root` is empty where the person's root key is not: at a second device, and once it is on the sheet.
    """

    uid: Uid
    dev: DevId
    agency_pk: bytes
    secrets: DeviceSecrets
    puk_seeds: dict[int, bytes]
    signing: SigningKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signing", SigningKey(self.secrets.sign))

    def author(self, log: UserLog) -> Author:
        """This device as the signer of entries and envelopes, with the newest own log."""
        return Author(uid=self.uid, dev=self.dev, signing=self.signing, ulog=(log.seq, log.head))

    @property
    def kem(self) -> KemKey:
        """What PUK generations are sealed to at this device."""
        return KemKey(self.secrets.kem)

    def puk(self, gen: int) -> KemKey | None:
        """The key that room epochs are sealed to, of one generation."""
        seed = self.puk_seeds.get(gen)
        return puk_key(seed) if seed else None

    def encode(self) -> bytes:
        s = self.secrets
        return enc([VERSION, self.uid, self.dev, self.agency_pk, s.sign, s.kem, s.root, dict(self.puk_seeds)])

    @classmethod
    def decode(cls, data: bytes) -> "Account":
        """Reject "format" for a newer version, "malformed" otherwise."""
        version, uid, dev, agency, sign, kem, root, seeds = fields.array(dec(data, limit=65536), 8, "account")
        if type(version) is not int or version not in _READ:
            raise Reject("format", "account")
        if type(seeds) is not dict:
            raise Reject("malformed", "account")
        return cls(
            uid=Uid(fields.raw(uid, 16, "account")),
            dev=DevId(fields.raw(dev, 16, "account")),
            agency_pk=fields.raw(agency, 32, "account"),
            secrets=DeviceSecrets(
                sign=fields.raw(sign, 32, "account"),
                kem=fields.raw(kem, 32, "account"),
                root=fields.raw(root, 32 if version == 1 else (0, 32), "account"),
            ),
            puk_seeds={fields.u64(g, "account"): fields.raw(s, 32, "account") for g, s in seeds.items()},
        )

    def __repr__(self) -> str:
        return f"Account({self.uid.hex()})"
