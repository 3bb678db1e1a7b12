#!/usr/bin/env bash
# SPDX-License-Identifier: EUPL-1.2
#
# Makes a checkout ready to run: system libraries (by apt), .venv, Python packages.
# `make demo`, `make test` and the other targets call it first; with nothing missing it takes a fraction of a second.
# It says what it installs. Without apt, or without the right to use it, it names what is needed
# and goes on if Qt's libraries can be loaded all the same.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Shared library, and the Debian package that has it: what Qt's offscreen and xcb platforms load.
LIBRARIES="
libglib-2.0.so.0            libglib2.0-0
libgthread-2.0.so.0         libglib2.0-0
libEGL.so.1                 libegl1
libGL.so.1                  libgl1
libxkbcommon.so.0           libxkbcommon0
libdbus-1.so.3              libdbus-1-3
libfontconfig.so.1          libfontconfig1
libgssapi_krb5.so.2         libgssapi-krb5-2
libxkbcommon-x11.so.0       libxkbcommon-x11-0
libxcb-cursor.so.0          libxcb-cursor0
libxcb-icccm.so.4           libxcb-icccm4
libxcb-keysyms.so.1         libxcb-keysyms1
libxcb-shape.so.0           libxcb-shape0
libxcb-image.so.0           libxcb-image0
libxcb-randr.so.0           libxcb-randr0
libxcb-render-util.so.0     libxcb-render-util0
libxcb-shm.so.0             libxcb-shm0
libxcb-sync.so.1            libxcb-sync1
libxcb-util.so.1            libxcb-util1
libxcb-xfixes.so.0          libxcb-xfixes0
libxcb-xkb.so.1             libxcb-xkb1
libX11-xcb.so.1             libx11-xcb1
"
EMOJI_FONT_PACKAGE=fonts-noto-color-emoji  # the demo's screenshots have emoji in chat messages
# Program, and the Debian package that has it: what tests start. Without one its tests are skipped.
PROGRAMS="
dbus-daemon                 dbus-daemon
desktop-file-validate       desktop-file-utils
systemd-analyze             systemd
groff                       groff-base
desktop-file-validate       desktop-file-utils
appstreamcli                appstream
osslsigncode                osslsigncode
gpg                         gpg
pandoc                      pandoc
pdftotext                   poppler-utils
Xvfb                        xvfb
openbox                     openbox
xdotool                     xdotool
/usr/libexec/at-spi-bus-launcher at-spi2-core
softhsm2-util               softhsm2
cc                          gcc
/usr/include/dlfcn.h        libc6-dev
"

# What else `setup.sh packages` installs: what builds and tries packages. Without wine there is no MSI.
if [ "${1:-}" = packages ]; then
    PROGRAMS+="
nginx                       nginx
apache2                     apache2-bin
caddy                       caddy
haproxy                     haproxy
debootstrap                 debootstrap
objdump                     binutils
rpmbuild                    rpm
cpio                        cpio
msibuild                    msitools
wixl                        wixl
wine                        wine
x86_64-w64-mingw32-gcc      gcc-mingw-w64-x86-64
xvfb-run                    xvfb
xauth                       xauth
"
fi

# What `setup.sh peers` installs: another server, to be measured beside ours.
if [ "${1:-}" = peers ]; then
    PROGRAMS+="
prosody                     prosody
/usr/share/doc/lua-dbi-sqlite3 lua-dbi-sqlite3
"
fi

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The first Python 3.11–3.13 that can make a virtual environment.
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            >/dev/null 2>&1; then
            "$name" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

# Packages whose shared library cannot be loaded, one a line.
missing_libraries() {
    "$1" - "$LIBRARIES" <<'PYTHON'
import ctypes
import sys

missing = set()
for line in sys.argv[1].split("\n"):
    if line.strip():
        library, package = line.split()
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.add(package)
print("\n".join(sorted(missing)))
PYTHON
}

# Packages whose program is not in PATH, one a line.
missing_programs() {
    local program package
    while read -r program package; do
        [ -z "$program" ] || command -v "$program" >/dev/null || [ -e "$program" ] || echo "$package"
    done <<<"$PROGRAMS"
}

has_emoji_font() {
    local folder
    for folder in /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.local/share/fonts"; do
        [ -d "$folder" ] && [ -n "$(find "$folder" -iname '*emoji*' -print -quit 2>/dev/null)" ] && return 0
    done
    return 1
}

# Installs Debian packages; returns 1 (after naming them) where that cannot be done here.
install_packages() {
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here. Install what is in these Debian packages: $*"
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "neither root nor sudo. Have these packages installed: $*"
            return 1
        fi
        as_root=(sudo)
    fi
    say "installing system packages: $*"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
    local log
    log=$(mktemp)
    # An update may fail for one source among many and the install still succeed: the install decides.
    "${apt[@]}" update >"$log" 2>&1 || true
    if ! "${apt[@]}" install -y --no-install-recommends "$@" >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

prepare_system() {
    local wanted=() library program
    if ! PYTHON=$(find_python); then
        install_packages python3 python3-venv || true
        PYTHON=$(find_python) || fail "Python 3.11, 3.12 or 3.13 with venv is needed and was not found"
    fi
    mapfile -t wanted < <(missing_libraries "$PYTHON" | sed '/^$/d')
    mapfile -t -O "${#wanted[@]}" wanted < <(missing_programs)
    has_emoji_font || wanted+=("$EMOJI_FONT_PACKAGE")
    [ "${#wanted[@]}" -eq 0 ] && return 0
    install_packages "${wanted[@]}" || true
    for program in $(missing_programs); do
        say "without $program its tests are skipped"
    done
    for library in $(missing_libraries "$PYTHON"); do
        case $library in
            # Only real windows need these; tests and the demo also run offscreen.
            libxcb-* | libx11-xcb1 | libxkbcommon-x11-0) say "without $library there are no windows on X11, only offscreen runs" ;;
            *) fail "Qt cannot start without $library" ;;
        esac
    done
}

# What pyproject.toml asks for, as pip reads it. The project itself is run from the checkout, never installed.
requirements() {
    "$1" - <<'PYTHON'
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
print("\n".join([*project["dependencies"], *project["optional-dependencies"]["dev"]]))
PYTHON
}

prepare_venv() {
    local stamp=.venv/requirements.txt wanted
    if ! .venv/bin/python -c 'import sys' >/dev/null 2>&1; then
        say "creating .venv with $("$PYTHON" --version)"
        rm -rf .venv
        "$PYTHON" -m venv .venv
    fi
    wanted=$(requirements "$PYTHON")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return 0
    fi
    say "installing $(printf '%s\n' "$wanted" | wc -l) Python packages and what they need into .venv"
    printf '%s\n' "$wanted" >"$stamp.new"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$stamp.new"
    mv "$stamp.new" "$stamp"
}

prepare_system
prepare_venv
