# SPDX-License-Identifier: EUPL-1.2
"""The values that a room's policy may have, and the list of recovery recipients in it."""

from collections.abc import Sequence

from sync.crypto.seal import PUBLIC_BYTES, SUITE_HYBRID, check_public
from sync.errors import Reject
from sync.ids import Uid
from sync.trust.formats import fields

NAME_LIMIT = 64
"""Most characters of an entry's type, in a policy as in the entry itself."""
NAMES_LIMIT = 1000
RECIPIENTS_LIMIT = 8
KNOWN_FEATURES: tuple[str, ...] = ()
"""What this program knows of rooms' items and a policy must enable first, as `enables` names it ("ext 2", "kind 9",
"type x"). Each device says it to the members (protocol §7). None yet: what this version knows needs no policy."""


def read_policy(value: object) -> dict[str, object]:
    """Checks that `value` is a policy, a map of the room's settings, and returns it. Any of its fields may be absent:

    - "history": "all" or "from-now", what newcomers may be given
    - "recovery": the recovery recipients of the agency, a list of [id 16 B, sealing key]
    - "format": what newer clients may use, a map with any of "ext" and "kinds" (lists of numbers) and "types" (names)
    - "suite": 2, the only cipher suite
    - "own": true, for a room of one's own (`is_own`); never together with "recovery"

    Reject "suite" for any other suite, "bad-key" for a key that nothing can be sealed to, "malformed" for the rest,
    also for a field of another name.
    """
    policy = _names(value, "policy")
    for name, item in policy.items():
        match name:
            case "history":
                if item not in ("all", "from-now"):
                    raise Reject("malformed", "policy history")
            case "recovery":
                read_recovery(item)
            case "format":
                _read_format(item)
            case "suite":
                if item != SUITE_HYBRID:
                    raise Reject("suite", "policy")
            case "own":
                if item is not True or "recovery" in policy:  # ▲ nobody but the person may ever have its keys
                    raise Reject("malformed", "policy own")
            case _:
                raise Reject("malformed", "policy")
    return policy


def is_own(policy: dict[str, object]) -> bool:
    """Whether a room with this `policy` is a room of one's own: nobody but its founder can ever be a member, or have
    its keys. Its genesis says so, and nothing can change it."""
    return bool(policy.get("own"))


def enables(policy: dict[str, object], features: Sequence[str]) -> bool:
    """▲ Whether a room's policy enables all `features` of an item ("ext 2", "kind 9", "type x") that this program
    lacks. False if there are none.

    Only then does the room need a newer program. An item with a feature that no policy enabled has no effect,
    regardless of the sender and of its other features: programs that know different ones of them judge it alike.
    """
    return bool(features) and all(_is_enabled(policy, feature) for feature in features)


def _is_enabled(policy: dict[str, object], feature: str) -> bool:
    what, _, name = feature.partition(" ")
    enabled = policy.get("format", {})
    listed = enabled.get({"ext": "ext", "kind": "kinds", "type": "types"}[what], []) if enabled else []  # type: ignore[attr-defined]  # read_policy checked it
    return name in map(str, listed)


def read_recovery(value: object) -> list[tuple[Uid, bytes]]:
    """Reads the list of the agency's recovery keys, to which a room's keys are sealed too, as (id, sealing key), in its
    order; an empty list gives []. ▲ Reject "bad-key" for a key that nothing can be sealed to; "malformed" for a value
    of another shape, a list with more than 8 keys, or with one id twice."""
    out = []
    for row in fields.items(value, "recovery", RECIPIENTS_LIMIT):
        ident, key = fields.array(row, 2, "recovery")
        check_public(fields.raw(key, PUBLIC_BYTES, "recovery"))
        out.append((Uid(fields.raw(ident, 16, "recovery")), fields.raw(key, PUBLIC_BYTES, "recovery")))
    if len({ident for ident, _ in out}) != len(out):
        raise Reject("malformed", "recovery")
    return out


def _read_format(value: object) -> None:
    for name, members in _names(value, "format").items():
        if name not in ("ext", "kinds", "types"):
            raise Reject("malformed", "format")
        for member in fields.items(members, "format", NAMES_LIMIT):
            if type(member) is not (str if name == "types" else int) or len(str(member)) > NAME_LIMIT:
                raise Reject("malformed", "format")


def _names(value: object, where: str) -> dict[str, object]:
    if type(value) is not dict or any(type(k) is not str for k in value):
        raise Reject("malformed", where)
    return value
