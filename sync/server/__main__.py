# SPDX-License-Identifier: EUPL-1.2
"""`kansli-server` (`python -m sync.server`): what an operator asks for, each command a function of admin.py, listing.py
or upkeep/."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sync.errors import Reject
from sync.server import admin, listing
from sync.server.commandline import OPEN_SHARE, configured, make_parser, program
from sync.server.config import Config, ConfigError
from sync.server.escrow import open_share, read_request
from sync.server.logs import logging_as
from sync.server.store.base import StoreError
from sync.server.upkeep import audit
from sync.server.upkeep import commands as upkeep


def main(argv: list[str] | None = None) -> int:
    """Runs one command; the exit status is 0 if it did what it says."""
    args = make_parser().parse_args(argv)
    try:
        if args.command == OPEN_SHARE:
            print(open_share(read_request(args.request), args.escrow_key, name=args.name).format())
            return 0
        config = configured(args)
        with logging_as(config, to_file=args.command == "serve" and not args.check):
            return _run(args, config)
    except (ConfigError, Reject, StoreError, OSError) as e:
        print(f"{program()}: {e}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace, config: Config) -> int:
    data = config.data
    match args.command:
        case "init":
            keys = args.keys or _ask_keys()
            admin.init(data, keys=keys, demo_ca=args.demo_ca, name=args.name)
            print(f"{data}: agency founded. Keep {keys} safe and off this machine: a running server does not need it.")
        case "renew-certificate":
            tls = admin.renew_certificates(data, key_file=args.agency_key)
            print(f"Renewed: server.cert{', tls.pem' if tls else ''}. Start the server again to use it.")
        case "invite":
            print(asyncio.run(_invite(args, config)))
        case "revoke":
            ids = {"uid": args.person, "dev": args.device}
            asyncio.run(admin.revoke(data, key_file=args.agency_key, **ids))
            print("Revoked. The person's rooms get new keys within seconds, or when somebody of them connects.")
        case "reset":
            asyncio.run(admin.reset(data, uid=args.person, key_file=args.agency_key))
            print("Reset. Invite the person anew; colleagues see it and add them to their rooms again.")
        case "status":
            counts, health = asyncio.run(admin.status(data)), admin.health(config)
            print(json.dumps(asdict(counts) | asdict(health)))
        case "users" | "devices" | "rooms" | "closed":
            lines = asyncio.run(_list(args, config))
            print(listing.in_form(lines, table=args.table), end="")
        case "open-room":
            asyncio.run(admin.open_room(data, args.room))
            print("Opened. What was missing there is given up.")
        case "confirm-clock":
            admin.confirm_clock(data)
            print("Confirmed. A running server that waited for this places again.")
        case "audit" if args.verify or args.expect is not None:
            print(audit.verify_audit(data, args.expect))
        case "audit":
            print(listing.in_form(audit.audit(data), table=args.table), end="")
        case "verify":
            return upkeep.verify(args, data)
        case "backup":
            return upkeep.backup(args, data)
        case "restore":
            return upkeep.restore(args, data)
        case "serve":
            from sync.server import serving  # the web server is a third of the imports; no other command needs it

            if args.check:
                print(serving.check(config))
            else:
                asyncio.run(serving.serve(config))
    return 0


def _ask_keys() -> Path:
    """Where the agency's keys go, as typed. ConfigError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise ConfigError("say with --keys in which folder, outside the data folder, agency.key and escrow.key go")
    return Path(input("Folder for agency.key and escrow.key, outside the data folder: ").strip()).expanduser()


async def _invite(args: argparse.Namespace, config: Config) -> str:
    rest = {"hours": args.hours, "key_file": args.agency_key}
    if args.person is not None:
        more = {"escrow_key": args.escrow_key, "request": args.request}
        code = await admin.invite_back(config.data, uid=args.person, **rest, **more)
        if args.request is not None and args.request.exists():
            print(f"Its second line comes from: {program()} {OPEN_SHARE} {args.request}", file=sys.stderr)
        return code
    return await admin.invite(config.data, name=args.name, title=args.title, unit=args.unit, **rest)


async def _list(args: argparse.Namespace, config: Config) -> Sequence[listing.Line]:
    match args.command:
        case "users":
            return await listing.users(config.data, args.words)
        case "devices":
            return await listing.devices(config.data, args.words)
        case "rooms":
            return await listing.rooms(config.data)
        case _:
            return await listing.closed(config.data)


if __name__ == "__main__":
    sys.exit(main())
