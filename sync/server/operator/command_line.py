# SPDX-License-Identifier: EUPL-1.2
"""Parses the command line: every command with its options, and the configuration that they make together with the
operator's file. packaging/man/kansli-server.1 describes each of them.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from sync.protocol.version import PROGRAM
from sync.server.config import Config, ConfigError
from sync.server.operator.config_file import DEFAULT_FILE, read_config
from sync.server.store.admin_chain import AdminHead

_NAME = "kansli-server"
_OVERRIDES = ("data", "host", "port", "unix", "cert", "key", "behind_proxy", "insecure_loopback", "metrics")
"""Options of `serve` that override the key of the same name in the file."""
OPEN_SHARE = "open-share"
_MOST_HOURS = 365 * 24


def program() -> str:
    """The name of this program as the operator typed it."""
    return _NAME if Path(sys.argv[0]).stem == _NAME else "python -m sync.server"


def configured(args: argparse.Namespace) -> Config:
    """The configuration of a command, from its options `args` and the operator's file. If neither names a TLS
    certificate, tls.pem in the data folder is used if it is there, and tls.key in the same way for the key; neither for
    plain HTTP. ConfigError if the file is missing, cannot be read or has a wrong setting, and if the data folder
    belongs to another user."""
    given = {name: getattr(args, name, None) for name in _OVERRIDES}
    overrides = {name: value for name, value in given.items() if value is not None and value is not False}
    if args.log is not None:
        overrides["log_level"] = args.log
    if addresses := getattr(args, "address", None):
        overrides["addresses"] = tuple(a.lower() for a in addresses)
    config = read_config(args.config, overrides)
    _check_owner(config.data)
    if config.plain:
        return config
    beside = config.data / "tls.pem", config.data / "tls.key"
    return replace(config, cert=config.cert or _if_there(beside[0]), key=config.key or _if_there(beside[1]))


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _check_owner(data: Path) -> None:
    """ConfigError unless this process runs as the owner of the data folder `data`. If `data` is missing, ConfigError
    only for root, if the nearest folder above it that exists does not belong to root. ConfigError too if this process
    has no access to the folders above `data`. Nothing is checked on Windows. Otherwise the server could not read what
    this process writes: SQLite makes further files beside a database, and a folder that root makes belongs to root."""
    try:
        ours = not hasattr(os, "geteuid") or data.stat().st_uid == os.geteuid()
    except FileNotFoundError:
        data = next(folder for folder in data.absolute().parents if folder.exists())
        ours = not hasattr(os, "geteuid") or os.geteuid() != 0 or data.stat().st_uid == 0
    except PermissionError:  # the folder above is the owner's alone, as the package makes it
        data, ours = next(folder for folder in data.parents if _is_seen(folder)), False
    if not ours:
        raise ConfigError(f"{data} belongs to somebody else; run this as its owner: sudo -u {_owner(data)} {program()}")


def _is_seen(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return False
    return True


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands. Its result has the command's name in `command`."""
    parser = argparse.ArgumentParser(prog=program(), description="The agency's sync server.")
    parser.add_argument("--version", action="version", version=f"{_NAME} {PROGRAM}")
    parser.add_argument("--log", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="how much is logged (INFO)")
    commands = parser.add_subparsers(dest="command", required=True)
    _keys(commands)
    _people(commands)
    _escrow(commands)
    _listings(commands)
    _upkeep(commands)
    _audit(commands)
    _serve(commands)
    for command in commands.choices.values():
        if command is commands.choices[OPEN_SHARE]:
            continue  # it has no data folder
        command.add_argument("--config", type=Path, help=f"the operator's file ({DEFAULT_FILE}, if it is there)")
        command.add_argument("--data", type=Path, help="the server's data folder, instead of the file's")
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _keys(commands: "_Commands[argparse.ArgumentParser]") -> None:
    init = commands.add_parser("init", help="found an agency in a data folder")
    init.add_argument("--name", default="Kansli", help="of the demo's certificate authority")
    init.add_argument("--demo-ca", metavar="HOST", action="append", help="also make a certificate for this host")
    where = "the folder for agency.key and escrow.key, outside the data folder; asked for if it is not given"
    init.add_argument("--keys", type=Path, help=where)
    renew = commands.add_parser("renew-certificate", help="three more years for the server's certificate")
    _agency_key(renew)


def _people(commands: "_Commands[argparse.ArgumentParser]") -> None:
    invite = commands.add_parser("invite", help="print a one-time activation code for one person")
    whom = invite.add_mutually_exclusive_group(required=True)
    whom.add_argument("--name", help="of somebody new")
    again = "their id as `users` prints it: invites them back with the staff record that they have"
    whom.add_argument("--person", type=bytes.fromhex, help=again)
    many = "a list of new people, with the columns name, title and unit: writes their codes, and letters to print"
    whom.add_argument("--csv", type=Path, help=many)
    invite.add_argument("--title", help="of the staff record of somebody new")
    invite.add_argument("--unit", help="of the staff record of somebody new")
    invite.add_argument("--hours", type=_hours, default=72, help="how long the code is good (72)")
    _agency_key(invite)
    share = invite.add_mutually_exclusive_group()
    share.add_argument(
        "--escrow-key", type=Path, help="where escrow.key was moved to, for a person with a recovery sheet"
    )
    elsewhere = "write to this file what `open-share` needs where escrow.key is, instead of using it here"
    share.add_argument("--request", type=Path, help=elsewhere)
    apart = "make the code here, without a data folder, and write to this new file what `import-invites` takes in"
    invite.add_argument("--offline", type=Path, metavar="FILE", help=apart)
    imported = commands.add_parser("import-invites", help="take in what `invite --offline` wrote elsewhere")
    imported.add_argument("file", type=Path, help="that file; - reads it from standard input")
    withdraw = commands.add_parser("withdraw", help="end an invitation that has not been used")
    withdraw.add_argument("invitation", type=bytes.fromhex, help="its id as `invites` prints it")
    revoke = commands.add_parser("revoke", help="revoke a lost device, as the agency")
    revoke.add_argument("--device", type=bytes.fromhex, required=True, help="its id as `devices` prints it")
    reset = commands.add_parser(
        "reset", help="end the account of a person who leaves, or has lost all devices and the recovery sheet"
    )
    for command in (revoke, reset):
        command.add_argument("--person", type=bytes.fromhex, required=True, help="their id as `users` prints it")
        _agency_key(command)


def _escrow(commands: "_Commands[argparse.ArgumentParser]") -> None:
    share = commands.add_parser(OPEN_SHARE, help="open the share of a person's recovery sheet; needs no server")
    share.add_argument("request", type=Path, help="the file that `invite --person … --request` wrote")
    share.add_argument("--name", required=True, help="of the person: a request for another person's share is refused")
    share.add_argument("--escrow-key", type=Path, required=True, help="where escrow.key is")


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= _MOST_HOURS:
        raise argparse.ArgumentTypeError(f"more than 0 and at most {_MOST_HOURS} hours are needed")
    return hours


def _agency_key(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--agency-key", type=Path, help="where agency.key was moved to; - reads it from standard input"
    )


def _listings(commands: "_Commands[argparse.ArgumentParser]") -> None:
    users = commands.add_parser("users", help="list people, a JSON object a line")
    devices = commands.add_parser("devices", help="list people's devices, a JSON object a line")
    for command in (users, devices):
        command.add_argument("words", nargs="?", default="", help="of the staff record; none lists everybody")
    rooms = commands.add_parser("rooms", help="list rooms by size, a JSON object a line; they have no titles here")
    rooms.add_argument("--one-owner", action="store_true", help="only rooms of several people with one owner, or none")
    closed = commands.add_parser("closed", help="list rooms closed since a restore and whom they wait for")
    invites = commands.add_parser("invites", help="list invitations that are open, a JSON object a line")
    for command in (users, devices, rooms, closed, invites):
        command.add_argument("--table", action="store_true", help="columns for people instead of JSON")
    commands.add_parser("status", help="print counts as JSON")


def _upkeep(commands: "_Commands[argparse.ArgumentParser]") -> None:
    commands.add_parser("confirm-clock", help="say that the clock is right, after it was set by more than a day")
    verify = commands.add_parser("verify", help="check every chain and signature in a data folder or a backup")
    verify.add_argument("--room", type=bytes.fromhex, help="only this room, by its id")
    backup = commands.add_parser("backup", help="copy the data folder, also while the server runs")
    backup.add_argument("target", type=Path, help="the backup's folder; the next one there copies what is new")
    backup.add_argument("--with-keys", action="store_true", help="also the secret keys: keep it as safe as them")
    backup.add_argument("--verify", action="store_true", help="also verify the copy: one that is damaged has failed")
    restore = commands.add_parser("restore", help="make a new data folder from a backup")
    restore.add_argument("source", type=Path, help="the backup's folder")
    restore.add_argument("--keys", type=Path, help="the folder of server.key, for a backup without keys")
    restore.add_argument("--damaged", action="store_true", help="also if verify finds problems in it")
    open_room = commands.add_parser("open-room", help="open closed rooms without those who are missing")
    which = open_room.add_mutually_exclusive_group(required=True)
    which.add_argument("--room", type=bytes.fromhex, help="this one, by its id as `closed` prints it")
    alone = "every room that waits for this device alone, by its id as `closed` prints it"
    which.add_argument("--waits-for", type=bytes.fromhex, metavar="DEVICE", help=alone)
    which.add_argument("--all", action="store_true", help="every closed room, whichever devices it waits for")


def _audit(commands: "_Commands[argparse.ArgumentParser]") -> None:
    audit = commands.add_parser("audit", help="list what administrators did, a JSON object a line")
    audit.add_argument("--table", action="store_true", help="columns for people instead of JSON")
    audit.add_argument("--verify", action="store_true", help="only say whether the list is as it was written")
    noted = "with --verify: an entry as an earlier --verify or the server's log named it"
    audit.add_argument("--expect", type=AdminHead.parse, metavar="N:HASH", help=noted)


def _serve(commands: "_Commands[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser("serve", help="serve clients until SIGTERM; SIGHUP reads the TLS certificate again")
    serve.add_argument("--check", action="store_true", help="only say whether the configuration is sound")
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help="8443; 0 takes a free one")
    serve.add_argument("--unix", type=Path, help="listen on this unix socket, for a proxy")
    serve.add_argument("--cert", type=Path, help="PEM; default tls.pem in the data folder")
    serve.add_argument("--key", type=Path, help="PEM; default tls.key in the data folder")
    serve.add_argument("--behind-proxy", action="store_true", help="plain HTTP for a proxy on this machine")
    serve.add_argument("--insecure-loopback", action="store_true", help="plain HTTP on loopback, to try it out")
    serve.add_argument("--address", action="append", help="host:port that clients dial; may be given again")
    serve.add_argument("--metrics", help="host:port on this machine for Prometheus, /healthz and /readyz")
