# SPDX-License-Identifier: EUPL-1.2
"""An .rpm of a tree, by rpmbuild. It asks for libraries by their sonames, which every rpm distribution knows."""

import shutil
from pathlib import Path

from places import HOMEPAGE, MAINTAINER, OUT, WORK, ZSTD_LEVEL, epoch, run, version
from trees import Tree

_HEAD = """\
%global __os_install_post %{{nil}}
%global debug_package %{{nil}}
%global _build_id_links none
%global source_date_epoch_from_changelog 0
Name: {name}
Version: {version}
Release: 1
Summary: {summary}
License: EUPL-1.2
URL: {homepage}
Vendor: {maintainer}
AutoReqProv: no
Requires: libc.so.6(GLIBC_{glibc})(64bit)
{requires}

%description
{description}

%install
cp -a "{files}/." "%{{buildroot}}/"
"""
_SCRIPTS = {"pre": "preinst", "post": "postinst", "preun": "prerm", "postun": "postrm"}


def build(tree: Tree) -> Path:
    """The package's file."""
    top = WORK / "rpmbuild" / tree.name
    shutil.rmtree(top, ignore_errors=True)
    top.mkdir(parents=True)
    spec = top / f"{tree.name}.spec"
    spec.write_text(_spec(tree), encoding="utf-8")
    defines = {
        "_topdir": str(top),
        "_buildhost": "reproducible",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "_binary_payload": f"w{ZSTD_LEVEL}.zstdio",
    }
    command: list[str | Path] = ["rpmbuild", "-bb", "--quiet", "--target", "x86_64"]
    for key, value in defines.items():
        command += ["--define", f"{key} {value}"]
    env = {"SOURCE_DATE_EPOCH": str(epoch()), "PATH": "/usr/bin:/bin", "HOME": str(top), "LC_ALL": "C.UTF-8"}
    run([*command, spec], log=f"rpm-{tree.name}", env=env)
    built = next((top / "RPMS").rglob("*.rpm"))
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / built.name
    shutil.move(built, path)
    shutil.rmtree(top)
    return path


def _spec(tree: Tree) -> str:
    head = _HEAD.format(
        name=tree.name,
        version=version(),
        summary=tree.summary,
        homepage=HOMEPAGE,
        maintainer=MAINTAINER,
        glibc=tree.glibc,
        requires="\n".join(f"Requires: {soname}()(64bit)" for soname in tree.sonames),
        description=tree.description,
        files=tree.files,
    )
    return head + _scriptlets(tree) + "\n%files\n" + "\n".join(_files(tree)) + "\n"


def _scriptlets(tree: Tree) -> str:
    """dpkg's scripts as they are: they are told what happens by their first word, so rpm's count becomes that word."""
    said = ""
    for section, name in _SCRIPTS.items():
        source = tree.scripts / name if tree.scripts else None
        if source is None or not source.exists():
            continue
        word = {
            "pre": "install",
            "post": "configure",
            "preun": '$([ "$1" -eq 0 ] && echo remove || echo upgrade)',
            "postun": '$([ "$1" -eq 0 ] && echo remove || echo upgrade)',
        }[section]
        body = source.read_text(encoding="utf-8").replace("%", "%%").partition("\n")[2]
        said += f"\n%{section}\nset -- {word}\n{body}"
    return said


def _files(tree: Tree) -> list[str]:
    """Every file, and the folders that are ours alone; those of the system belong to its own packages."""
    lines = ["%defattr(-,root,root,-)"]
    ours = {f"/usr/lib/{tree.name}", f"/usr/share/doc/{tree.name}", "/etc/kansli"}
    for path in sorted(tree.files.rglob("*")):
        name = "/" + path.relative_to(tree.files).as_posix()
        quoted = f'"{name}"'
        if path.is_dir() and not path.is_symlink():
            if any(name == own or name.startswith(f"{own}/") for own in ours):
                lines.append(f"%dir {quoted}")
        elif name in tree.conffiles:
            lines.append(f"%config(noreplace) {quoted}")
        else:
            lines.append(quoted)
    return lines
