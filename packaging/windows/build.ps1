# SPDX-License-Identifier: EUPL-1.2
# The client for Windows: frozen, put into an MSI and signed, on Windows, as a release is made.
# NOT VERIFIED: no Windows was at hand. packaging/README.md lists what to try on a release.
#
# Needs: a current 64-bit Python 3.13 from python.org (py.exe), the WiX Toolset 5 (dotnet tool install --global wix
# --version 5.*), signtool of the Windows SDK, and git. From the checkout's root, in PowerShell 7:
#     packaging\windows\build.ps1 [-Certificate <thumbprint in the user's or a card's store>] [-Timestamp <address>]
param(
    [string] $Certificate = "",
    [string] $Timestamp = "http://timestamp.digicert.com"
)
$ErrorActionPreference = "Stop"
$PSNativeCommandUseErrorActionPreference = $true
Set-Location (Join-Path $PSScriptRoot "..\..")

$work = "build\packaging"
$venv = "$work\venv-windows"
$python = "$venv\Scripts\python.exe"
$env:PYTHONHASHSEED = "0"
$env:SOURCE_DATE_EPOCH = git log -1 --format=%ct

# The locked wheels, by their digests and nothing else.
if (-not (Test-Path $python)) { py -3.13 -m venv $venv }
& $python -m pip install --quiet --require-hashes --no-deps --only-binary=:all: -r packaging\locked\windows.txt

# kansli.ico first: packaging\kansli.spec puts it into kansli.exe.
$env:PYTHONPATH = "packaging\builder"
& $python -c "import places, drawing; p = places.WORK / 'kansli.ico'; p.write_bytes(drawing.ico(places.ROOT / 'resources/icons/logo.svg'))"
Remove-Item Env:PYTHONPATH
& $python -m PyInstaller --noconfirm --log-level WARN --distpath "$work\frozen-windows" --workpath "$work\pyinstaller-windows" packaging\kansli.spec
$bundle = "$work\frozen-windows\kansli"

function Sign([string[]] $files) {
    if ($Certificate -eq "") { Write-Host "unsigned: -Certificate names none"; return }
    signtool sign /sha1 $Certificate /fd sha256 /tr $Timestamp /td sha256 /d Kansli $files
}
# What has its maker's signature keeps it.
$ours = Get-ChildItem $bundle -Recurse -Include *.exe, *.dll, *.pyd |
    Where-Object { (Get-AuthenticodeSignature $_.FullName).Status -eq "NotSigned" }
Sign $ours.FullName

# The same identifiers as packaging/builder's MSI: from the same code.
$env:PYTHONPATH = "packaging\builder"
& $python -c @"
import pathlib, msi_source
msi_source.wix_files(pathlib.Path(r'$bundle').absolute()).write(r'$work\files.wxs', encoding='utf-8', xml_declaration=True)
"@
$version = & $python -c "import places; print(places.version())"
$product = & $python -c "import msi_source; print(msi_source.product_code())"
Remove-Item Env:PYTHONPATH
New-Item -ItemType Directory -Force build\packages | Out-Null
$msi = "build\packages\kansli-$version-x64.msi"
wix build -arch x64 -d "Version=$version" -d "ProductCode=$product" -d "Icon=$work\kansli.ico" -o $msi packaging\windows\kansli.wxs "$work\files.wxs"
Sign @($msi)
"$((Get-FileHash -Algorithm SHA256 $msi).Hash.ToLower())  $(Split-Path -Leaf $msi)"
