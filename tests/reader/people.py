# SPDX-License-Identifier: EUPL-1.2
"""A person as sync/PROTOCOL.md §3 and §10 describe one, from those pages alone: log, keys in generations, codes."""

from dataclasses import dataclass, field
from typing import Any

from tests.reader.primitives import KDF, H, KemKey, Refused, aead_open, dec, enc, verify

NO_HEAD = bytes(32)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Device:
    sign_pk: bytes
    kem_pk: bytes
    by: bytes | str
    revoked: bool = False


@dataclass
class Puk:
    gen: int
    seq: int
    kem_pk: bytes
    wrap: bytes
    seals: dict[bytes, bytes]


@dataclass
class Log:
    """A user log, entry by entry."""

    agency_pk: bytes
    uid: bytes | None = None
    heads: list[bytes] = field(default_factory=list)
    genesis_root: bytes = b""
    root: bytes = b""
    devices: dict[bytes, Device] = field(default_factory=dict)
    puks: list[Puk] = field(default_factory=list)
    recovery: bytes | None = None
    recovery_sheets: list[tuple[bytes, bytes]] = field(default_factory=list)
    """The escrow key's id and the sealed share of each recovery sheet."""
    record: bytes = b""
    agency_revoked: list[int] = field(default_factory=list)
    ended: int | None = None
    types: list[str] = field(default_factory=list)

    def apply(self, body: bytes, sig: bytes) -> None:
        version, uid, seq, prev, by, _time, kind, payload, ext = dec(body)
        head = self.heads[-1] if self.heads else NO_HEAD
        must(version == 1 and ext == {} and self.ended is None, "entry")
        must((uid, seq, prev) == (self.uid, len(self.heads), head), "chain")
        signer = getattr(self, f"_{kind}")(seq, prev, by, payload)
        ident = H("user-log", body)
        verify(signer or self._signer(by), "user-log", ident, sig)
        self.heads.append(ident)
        self.types.append(kind)
        if seq == 0:
            self.uid = ident[:16]

    def puk_at(self, seq: int) -> Puk | None:
        """The PUK generation that is sealed to at a position; None if there is none."""
        newest = [p for p in self.puks if p.seq <= seq]
        if not newest or (self.ended is not None and self.ended <= seq):
            return None
        return None if any(newest[-1].seq < r <= seq for r in self.agency_revoked) else newest[-1]

    def _signer(self, by: bytes | str) -> bytes:
        if by == "root":
            return self.root
        must(isinstance(by, bytes) and by in self.devices, "signer")
        return self.devices[by].sign_pk  # type: ignore[index]  # bytes, as the line above says

    def _add(self, seq: int, prev: bytes, by: bytes | str, keys: list[bytes], proof: bytes) -> bytes:
        sign_pk, kem_pk = keys
        before = b"" if seq == 0 else prev
        verify(sign_pk, "dev-proof", [self.uid, before, keys, by], proof)
        dev = H("dev", self.genesis_root, sign_pk)[:16]
        must(dev not in self.devices, "twice")
        self.devices[dev] = Device(sign_pk, kem_pk, by)
        return dev

    def _carried(self, to: bytes, gen: int, seal: bytes) -> None:
        must(gen == len(self.puks), "generation")
        self.puks[-1].seals[to] = seal

    def _generation(self, seq: int, payload: Any, *, but: bytes = b"") -> None:
        gen, kem_pk, wrap, seals = payload
        must(gen == len(self.puks) + 1 and bool(wrap) == bool(self.puks), "generation")
        to = {dev for dev, device in self.devices.items() if not device.revoked and dev != but}
        to |= {b"recovery"} if self.recovery else set()
        must({dev for dev, _ in seals} == to and len(seals) == len(to), "recipients")
        self.puks.append(Puk(gen, seq, kem_pk, wrap, dict(seals)))

    # -- the types of entries; each gives the key that must have signed, None for `by`

    def _genesis(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        root, keys, proof = payload
        must(seq == 0 and by == "root", "genesis")
        self.genesis_root = self.root = root
        self._add(seq, prev, by, keys, proof)
        return None

    def _binding(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        agency_pk, cert, cert_sig, record = payload
        must(agency_pk == self.agency_pk, "agency")
        verify(self.agency_pk, "invite", cert, cert_sig)
        invite_pk, certified, _not_after = dec(cert)
        must(by == H("invite", invite_pk)[:16] and record == certified, "binding")
        self.record = record
        return bytes(invite_pk)

    def _puk_rotate(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        self._generation(seq, payload)
        return None

    def _dev_add(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        keys, proof, gen, seal = payload
        self._carried(self._add(seq, prev, by, keys, proof), gen, seal)
        return None

    def _dev_rekey(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        kem_pk, gen, seal = payload
        must(isinstance(by, bytes), "signer")
        self.devices[bytes(by)].kem_pk = kem_pk  # type: ignore[arg-type]  # bytes, as the line above says
        self._carried(bytes(by), gen, seal)  # type: ignore[arg-type]
        return None

    def _dev_revoke(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        dev, added, puk = payload
        must(added == [d for d, device in self.devices.items() if device.by == dev], "added")
        signer = self.agency_pk if by == "agency" else self._signer(by)
        self.devices[dev].revoked = True
        if by == "agency":
            must(puk is None, "generation")
            self.agency_revoked.append(seq)
        else:
            self._generation(seq, puk, but=dev)
        return signer

    def _root_rotate(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        new, proof = payload
        must(by == "root", "signer")
        verify(new, "root-proof", [self.uid, prev, new], proof)
        old, self.root = self.root, new
        return old

    def _recovery_set(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        version, kem_pk, number, escrow, share, puk = payload
        must(by == "root", "signer")
        must(version == 2 and number == len(self.recovery_sheets) + 1, "recovery sheet")
        must((len(escrow), len(share)) == (16, 1153), "share")
        self.recovery = kem_pk
        self.recovery_sheets.append((escrow, share))
        self._generation(seq, puk)
        return None

    def _reset(self, seq: int, prev: bytes, by: bytes | str, payload: Any) -> bytes | None:
        must(by == "agency" and payload == [], "reset")
        self.ended = seq
        return self.agency_pk


def replay(entries: list[tuple[bytes, bytes]], agency_pk: bytes) -> Log:
    log = Log(agency_pk)
    for body, sig in entries:
        log.apply(body, sig)
    return log


def must(holds: object, what: str) -> None:
    if not holds:
        raise Refused(what)


# -- keys in generations


def puk_key(seed: bytes) -> KemKey:
    return KemKey(KDF(seed, "puk-kem"))


def open_puk(log: Log, puk: Puk, ident: bytes, key: KemKey) -> bytes:
    """The seed of a generation, from the seal to a device or b"recovery"."""
    seed = key.open(enc(["puk", log.uid, puk.gen, ident]), puk.seals[ident])
    must(puk_key(seed).public == puk.kem_pk, "puk")
    return seed


def unwrap(log: Log, puk: Puk, seed: bytes) -> bytes:
    """The seed of the generation before."""
    return aead_open(KDF(seed, "puk-prev"), ["puk-prev", log.uid, puk.gen], puk.wrap)


# -- codes


def letters(text: str, count: int) -> int:
    """Parses Crockford base32 as a person typed it."""
    typed = text.upper().replace(" ", "").replace("-", "").translate(str.maketrans("ILO", "110"))
    must(len(typed) == count and set(typed) <= set(ALPHABET), "code")
    number = 0
    for letter in typed:
        number = number << 5 | ALPHABET.index(letter)
    return number


def sign_in_code(text: str) -> tuple[bytes, bytes]:
    """The invitation's seed, and the first half of the agency's fingerprint."""
    raw = letters(text, 56).to_bytes(35, "big")
    must(raw[0] == 1 and H("code", raw[:33])[:2] == raw[33:], "checksum")
    return raw[1:17], raw[17:33]


def checked(text: str, count: int, word: str, size: int) -> bytes:
    """The secret before ten bits of checksum, in `size` bytes."""
    number = letters(text, count)
    secret = (number >> 10).to_bytes(size, "big")
    must(int.from_bytes(H(word, secret)[:2], "big") >> 6 == number & 1023, "checksum")
    return secret


def safety_number(one: bytes, other: bytes) -> str:
    first, second = sorted((one, other))
    streams = [KDF(ident, "safety-number", first, second, length=30) for ident in (first, second)]
    parts = [int.from_bytes(s[i : i + 5], "big") % 100_000 for s in streams for i in range(0, 30, 5)]
    return "".join(f"{part:05}" for part in parts)


# -- a second device


@dataclass
class Pairing:
    """The messages of both sides, read with the secrets of both."""

    fingerprint: bytes
    secret: bytes | None
    transcript: bytes = b""

    def __post_init__(self) -> None:
        self.transcript = H("enrol-transcript", self.fingerprint)

    def take(self, role: str, sent: bytes) -> Any:
        plain = sent
        if self.secret is not None:
            key = KDF(self.secret, "enrol", role, self.transcript)
            plain = aead_open(key, ["enrol", role, self.transcript], sent)
        self.note(sent)
        version, *body = dec(plain)
        must(version == 1, "version")
        return body

    def note(self, sent: bytes) -> None:
        self.transcript = H("enrol-transcript", self.transcript, sent)


def digits(fingerprint: bytes, commit: bytes, old_nonce: bytes, old: Any, new_nonce: bytes) -> str:
    digest = H("enrol-digits", fingerprint, commit, old_nonce, enc(old), new_nonce)
    return f"{int.from_bytes(digest[:8], 'big') % 10**6:06}"
