# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server`: what an operator asks for, each command a function of admin.py or upkeep/."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from sync.errors import Reject
from sync.protocol.version import PROGRAM
from sync.server import admin
from sync.server.config import Config, ConfigError
from sync.server.store.base import StoreError
from sync.server.upkeep import commands as upkeep


def main(argv: list[str] | None = None) -> int:
    """Runs one command; the exit status is 0 if it did what it says."""
    args = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=args.log, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        match args.command:
            case "init":
                admin.init(args.data, demo_ca=args.demo_ca, name=args.name)
                print(f"{args.data}: agency founded. Keep agency.key safe; the running server does not need it.")
            case "renew-certificate":
                tls = admin.renew_certificates(args.data, key_file=args.agency_key)
                print(f"Renewed: server.cert{', tls.pem' if tls else ''}. Start the server again to use it.")
            case "invite":
                print(asyncio.run(_invite(args)))
            case "devices":
                for line in asyncio.run(admin.devices(args.data, args.words)):
                    print(json.dumps(asdict(line), ensure_ascii=False))
            case "revoke":
                ids = {"uid": args.person, "dev": args.device}
                asyncio.run(admin.revoke(args.data, key_file=args.agency_key, **ids))
                print("Revoked. The person's rooms get new keys as soon as somebody of them is there.")
            case "reset":
                asyncio.run(admin.reset(args.data, uid=args.person, key_file=args.agency_key))
                print("Reset. Invite the person anew; colleagues see it and add them to their rooms again.")
            case "status":
                print(json.dumps(asdict(asyncio.run(admin.status(args.data)))))
            case "verify":
                return upkeep.verify(args)
            case "backup":
                return upkeep.backup(args)
            case "restore":
                return upkeep.restore(args)
            case "closed":
                for room in asyncio.run(admin.closed(args.data)):
                    print(json.dumps(asdict(room), ensure_ascii=False))
            case "open-room":
                asyncio.run(admin.open_room(args.data, args.room))
                print("Opened. What was missing there is given up.")
            case "serve":
                asyncio.run(_serve(args))
    except (ConfigError, Reject, StoreError, OSError) as e:
        print(f"sync.server: {e}", file=sys.stderr)
        return 1
    return 0


async def _invite(args: argparse.Namespace) -> str:
    rest = {"hours": args.hours, "key_file": args.agency_key}
    if args.person is not None:
        return await admin.invite_back(args.data, uid=args.person, **rest)
    return await admin.invite(args.data, name=args.name, title=args.title, unit=args.unit, **rest)


async def _serve(args: argparse.Namespace) -> None:
    from sync.server.running import start_server  # the web server is a third of the imports; no other command needs it

    config = Config(
        data=args.data,
        host=args.host,
        port=args.port,
        cert=args.cert or _if_there(args.data / "tls.pem"),
        key=args.key or _if_there(args.data / "tls.key"),
        insecure_loopback=args.insecure_loopback,
        addresses=tuple(a.lower() for a in args.address),
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    async with start_server(config) as server:
        ready = {"ready": True, "host": server.host, "port": server.port, "url": server.url}
        print(json.dumps(ready), flush=True)
        await stop.wait()


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sync.server", description="The agency's sync server.")
    parser.add_argument("--version", action="version", version=f"kansli-server {PROGRAM}")
    parser.add_argument("--log", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="found an agency in a data folder")
    init.add_argument("--name", default="Kansli", help="of the demo's certificate authority")
    init.add_argument("--demo-ca", metavar="HOST", action="append", help="also make a certificate for this host")
    invite = commands.add_parser("invite", help="print a one-time sign-in code for one person")
    whom = invite.add_mutually_exclusive_group(required=True)
    whom.add_argument("--name")
    again = "their id as `devices` prints it: invites them back with the staff record that they have"
    whom.add_argument("--person", type=bytes.fromhex, help=again)
    invite.add_argument("--title", default="")
    invite.add_argument("--unit", default="")
    invite.add_argument("--hours", type=float, default=72, help="how long the code is good (72)")
    invite.add_argument("--agency-key", type=Path, help="where agency.key was moved to")
    devices = commands.add_parser("devices", help="list people's devices, a JSON object a line")
    devices.add_argument("words", nargs="?", default="", help="of the staff record; none lists everybody")
    revoke = commands.add_parser("revoke", help="revoke a lost device, as the agency")
    revoke.add_argument("--device", type=bytes.fromhex, required=True, help="its id as `devices` prints it")
    reset = commands.add_parser("reset", help="end a person's account who has lost all devices and the recovery sheet")
    renew = commands.add_parser("renew-certificate", help="three more years for the server's certificate")
    for command in (revoke, reset):
        command.add_argument("--person", type=bytes.fromhex, required=True, help="their id as `devices` prints it")
    for command in (revoke, reset, renew):
        command.add_argument("--agency-key", type=Path, help="where agency.key was moved to")
    commands.add_parser("status", help="print counts as JSON")
    verify = commands.add_parser("verify", help="check every chain and signature in a data folder or a backup")
    verify.add_argument("--room", type=bytes.fromhex, help="only this room, by its id")
    backup = commands.add_parser("backup", help="copy the data folder, also while the server runs")
    backup.add_argument("target", type=Path, help="the backup's folder; the next one there copies what is new")
    backup.add_argument("--with-keys", action="store_true", help="also the secret keys: keep it as safe as them")
    restore = commands.add_parser("restore", help="make a new data folder from a backup")
    restore.add_argument("source", type=Path, help="the backup's folder")
    restore.add_argument("--keys", type=Path, help="the folder of server.key, for a backup without keys")
    restore.add_argument("--damaged", action="store_true", help="also if verify finds problems in it")
    commands.add_parser("closed", help="list rooms closed since a restore and whom they wait for, as JSON lines")
    open_room = commands.add_parser("open-room", help="open a closed room without those who are missing")
    open_room.add_argument("--room", type=bytes.fromhex, required=True, help="its id as `closed` prints it")
    serve = commands.add_parser("serve", help="serve clients until SIGTERM")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8443, help="0 takes a free one")
    serve.add_argument("--cert", type=Path, help="PEM; default tls.pem in the data folder")
    serve.add_argument("--key", type=Path, help="PEM; default tls.key in the data folder")
    serve.add_argument("--insecure-loopback", action="store_true", help="plain HTTP, on loopback only")
    serve.add_argument("--address", action="append", default=[], help="host:port that clients dial through a proxy")
    for command in commands.choices.values():
        command.add_argument("--data", type=Path, required=True, help="the server's data folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
