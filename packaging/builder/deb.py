# SPDX-License-Identifier: EUPL-1.2
"""A .deb of a tree, by dpkg-deb."""

import shutil
from pathlib import Path

import needs
from places import HOMEPAGE, MAINTAINER, OUT, WORK, ZSTD_LEVEL, epoch, run, settle, size_bytes, version
from roots import Root
from trees import Tree

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


def build(tree: Tree, root: Root) -> Path:
    """The package's file. `root` is the system it was frozen in: its packages are the ones depended on."""
    stage = WORK / "debs-staged" / tree.name
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(tree.files, stage, symlinks=True)
    control = stage / "DEBIAN"
    control.mkdir()
    depends = sorted({f"libc6 (>= {tree.glibc})", *needs.debian_packages(root, tree.sonames), *tree.extra})
    fields = {
        "Package": tree.name,
        "Version": version(),
        "Architecture": "amd64",
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size_bytes(tree.files) // 1024),
        "Depends": ", ".join(depends),
        "Section": "net",
        "Priority": "optional",
        "Homepage": HOMEPAGE,
        "Description": tree.summary + "".join(f"\n {line}" for line in tree.description.splitlines()),
    }
    (control / "control").write_text("".join(f"{k}: {v}\n" for k, v in fields.items()), encoding="utf-8")
    if tree.conffiles:
        (control / "conffiles").write_text("".join(f"{name}\n" for name in tree.conffiles), encoding="utf-8")
    for name in SCRIPTS:
        if tree.scripts is not None and (source := tree.scripts / name).exists():
            shutil.copyfile(source, control / name)
            (control / name).chmod(0o755)
    settle(stage)
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{tree.name}_{version()}_amd64.deb"
    path.unlink(missing_ok=True)
    run(
        ["dpkg-deb", "--root-owner-group", "-Zzstd", f"-z{ZSTD_LEVEL}", "--threads-max=1", "--build", stage, path],
        log=f"deb-{tree.name}",
        env={"SOURCE_DATE_EPOCH": str(epoch()), "PATH": "/usr/bin:/bin"},
    )
    shutil.rmtree(stage)
    return path
