# SPDX-License-Identifier: EUPL-1.2
"""`kansli-server` (`python -m sync.server`): runs the operator's commands, each by a function of a module in
operator/."""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sync.errors import Reject
from sync.server.config import Config, ConfigError
from sync.server.host.log_output import logging_as
from sync.server.host.wording import describe, format_time
from sync.server.operator import admin, invitations, listing, offline_invites, reopening
from sync.server.operator.command_line import OPEN_SHARE, configured, make_parser, program
from sync.server.operator.opened_shares import open_share, read_request
from sync.server.operator.staff_record import staff
from sync.server.operator.upkeep import audit
from sync.server.operator.upkeep import commands as upkeep
from sync.server.store.base import StoreError


def main(argv: list[str] | None = None) -> int:
    """Runs the command in `argv` (None: the process's own arguments). Returns the exit status: 0 for success, 1 if the
    command failed or found problems. An error that a command expects (ConfigError, Reject, StoreError, OSError) is
    printed as a sentence on stderr: status 1. Other errors are raised. SystemExit for wrong arguments (status 2) and
    for --help (0)."""
    args = make_parser().parse_args(argv)
    try:
        if args.command == "invite" and args.offline is not None:
            return _invite_offline(args)
        if args.command == OPEN_SHARE:
            print(open_share(read_request(args.request), args.escrow_key, name=args.name).format())
            return 0
        config = configured(args)
        with logging_as(config, to_file=args.command == "serve" and not args.check):
            return _run(args, config)
    except (ConfigError, Reject, StoreError, OSError) as e:
        print(f"{program()}: {describe(e)}", file=sys.stderr)
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
        case "withdraw":
            asyncio.run(invitations.withdraw(data, args.invitation))
            print("Withdrawn. A person who enters the code sees that it was withdrawn.")
        case "revoke":
            ids = {"uid": args.person, "dev": args.device}
            since = asyncio.run(admin.revoke(data, key_file=args.agency_key, **ids))
            did = "Revoked. The person's rooms get new keys within seconds, or when somebody of them connects."
            print(did if since is None else f"Revoked already, {format_time(since)}. Nothing was changed.")
        case "reset":
            since = asyncio.run(admin.reset(data, uid=args.person, key_file=args.agency_key))
            did = "Reset. Invite the person again; colleagues see it and add them to their rooms again."
            print(did if since is None else f"Reset already, {format_time(since)}. Nothing was changed.")
        case "status":
            print(json.dumps(asyncio.run(_status(config)), ensure_ascii=False))
        case "rooms" if args.one_owner:
            return upkeep.one_owner(args, data)
        case "users" | "devices" | "rooms" | "closed" | "invites":
            lines = asyncio.run(_list(args, config))
            print(listing.in_form(lines, table=args.table), end="")
        case "open-room":
            return asyncio.run(_open_rooms(args, data))
        case "import-invites":
            rows = asyncio.run(offline_invites.import_invites(data, args.file))
            print(f"Imported: {len(rows)}. The codes are good until {format_time(min(r.not_after for r in rows))}.")
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
            from sync.server.process import (
                serving,  # the web server is a third of the imports; only this command needs it
            )

            if args.check:
                print(serving.check(config))
            else:
                asyncio.run(serving.serve(config))
    return 0


def _ask_keys() -> Path:
    """Asks at the terminal for the folder in which to store the agency's keys, and returns it. `~` is the home folder.
    Nothing else is checked. ConfigError if standard input is no terminal or ends, or if the answer is empty: the keys
    would then be stored in the current folder."""
    answer = ""
    if sys.stdin.isatty():
        with contextlib.suppress(EOFError):
            answer = input("Folder for agency.key and escrow.key, outside the data folder: ").strip()
    if not answer:
        raise ConfigError("say with --keys in which folder, outside the data folder, agency.key and escrow.key go")
    return Path(answer).expanduser()


async def _invite(args: argparse.Namespace, config: Config) -> str:
    rest = {"hours": args.hours, "key_file": args.agency_key}
    if args.name is None and (args.title is not None or args.unit is not None):
        whose = "the record that they have" if args.person is not None else "what the list says"
        raise ConfigError(f"--title and --unit go with --name: people are invited with {whose}")
    if args.csv is not None:
        from sync.server.operator import invite_list  # with it comes what writes PDFs; no other command needs it

        made = await invite_list.invite_all(config, args.csv, **rest)
        for line in made.warnings:
            print(f"{program()}: {line}", file=sys.stderr)
        return made.summary
    if args.person is not None:
        more = {"escrow_key": args.escrow_key, "request": args.request}
        code = await admin.invite_back(config.data, uid=args.person, **rest, **more)
        if args.request is not None and args.request.exists():
            print(f"Its second line comes from: {program()} {OPEN_SHARE} {args.request}", file=sys.stderr)
        return code
    who = staff(name=args.name, title=args.title or "", unit=args.unit or "")
    for _, line in await invitations.namesakes(config.data, [who]):
        print(f"{program()}: {line}", file=sys.stderr)
    return await admin.invite(config.data, name=who.name, title=who.title, unit=who.unit, **rest)


def _invite_offline(args: argparse.Namespace) -> int:
    if args.csv is not None:
        from sync.server.operator import invite_list  # with it comes what writes PDFs; no other command needs it

        made = invite_list.invite_all_offline(args.csv, args.offline, hours=args.hours, key_file=args.agency_key)
        for line in made.warnings:
            print(f"{program()}: {line}", file=sys.stderr)
        print(made.summary)
        return 0
    if args.name is None:
        raise ConfigError("--offline is for somebody new: what --person needs is on the server")
    record = staff(name=args.name, title=args.title or "", unit=args.unit or "").encode()
    agency, codes = offline_invites.invite_offline(args.offline, [record], hours=args.hours, key_file=args.agency_key)
    for code in codes:
        print(code.format())
    command = f"on the server: {program()} import-invites {args.offline}"
    print(f"{args.offline}: for the agency {agency.fingerprint.hex()[:16]}. Take it in {command}", file=sys.stderr)
    return 0


async def _open_rooms(args: argparse.Namespace, data: Path) -> int:
    if args.room is not None:
        one = await reopening.open_one(data, args.room)
        print(one.format() if one is not None else "This room is open already. Nothing was changed.")
        return 0
    found = await (reopening.open_all(data) if args.all else reopening.open_without(data, args.waits_for))
    print(reopening.format_openings(found))
    return 0 if args.all or any(each.opened for each in found) else 1


async def _status(config: Config) -> dict[str, object]:
    counts = asdict(await admin.status(config.data)) | asdict(admin.health(config))
    restore = await admin.after_restore(config.data)
    return counts if restore is None else counts | {"after_restore": asdict(restore)}


async def _list(args: argparse.Namespace, config: Config) -> Sequence[listing.Line]:
    match args.command:
        case "users" | "devices":
            if args.words and (note := await listing.unsearched(config.data)):
                print(note, file=sys.stderr)
            found = listing.users if args.command == "users" else listing.devices
            return await found(config.data, args.words)
        case "rooms":
            return await listing.rooms(config.data)
        case "invites":
            return await listing.invites(config.data)
        case _:
            return await listing.closed(config.data)


if __name__ == "__main__":
    sys.exit(main())
