"""`python -m tests.listservers.fetch [NAMES]`: install what the stories need; without names, the GNU Mailman of `make test`.

Mailman comes from PyPI into a virtual environment of its own. The others are Debian's packages, which only root can install;
mlmmj alone is unpacked where there is no root.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.listservers import mailman, mlmmj

_PACKAGES = {
    "mlmmj": ("mlmmj",),
    "sympa": ("sympa", "dbconfig-sqlite3"),
    "dovecot": ("dovecot-imapd",),
    "spamassassin": ("spamassassin",),
}
_ANSWERS = {
    "sympa": (
        "sympa sympa/hostname string sympa.example.org",
        "sympa sympa/listmaster string listmaster@example.org",
        "sympa sympa/database-type select sqlite3",
    )
}
"""What Debian asks before it installs a package; Sympa is not set up where a machine's own name is not a full one."""

NAMES = ("mailman", *_PACKAGES)
_POLICY = Path("/usr/sbin/policy-rc.d")
"""What Debian asks whether a service may be started that was just installed."""


def main() -> int:
    """Fetch what is named; exit code 1, with a sentence, where that went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to install: {', '.join(NAMES)}")
    names = parser.parse_args().names or ["mailman"]
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(NAMES)}")
    went_well = [fetch(name) for name in names]
    return int(not all(went_well))


def fetch(name: str) -> bool:
    """Install one, or say in a sentence why not. Tell whether nothing went wrong; to leave it out is not wrong."""
    if name == "mailman":
        return _fetch_mailman()
    packages = _PACKAGES[name]
    if shutil.which("apt-get") is None:
        return _leave_out(f"{name} comes from Debian's packages, and there is no apt-get here; its story is left out.")
    if os.geteuid() == 0:
        return _install(name, packages)
    if name == "mlmmj":
        return _unpack(name)
    return _leave_out(
        f"Only root can install {name}: run apt-get install {' '.join(packages)} as root; until then its story is left out."
    )


def _leave_out(sentence: str) -> bool:
    sys.stderr.write(f"{sentence}\n")
    return True


def _fetch_mailman() -> bool:
    home = mailman.HOME
    if not mailman.runs_here():
        home.mkdir(parents=True, exist_ok=True)
        return _leave_out("GNU Mailman 3.3.10 runs on no Python newer than 3.12; its story is left out.")
    sys.stderr.write("Fetching a GNU Mailman for the tests of the list ...\n")
    try:
        venv.create(home, clear=True, with_pip=True)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--require-hashes", "-r", str(mailman.LOCK)], check=True)
    except (OSError, subprocess.CalledProcessError) as trouble:
        sys.stderr.write(f"A GNU Mailman could not be installed ({type(trouble).__name__}); pip says above why.\n")
        return False
    return True


def _install(name: str, packages: Sequence[str]) -> bool:
    sys.stderr.write(f"Installing {' and '.join(packages)} ...\n")
    with _nothing_started():
        _apt("update")
        if name in _ANSWERS and shutil.which("debconf-set-selections"):
            answers = "".join(f"{line}\n" for line in _ANSWERS[name])
            subprocess.run(["debconf-set-selections"], input=answers, text=True, check=True)
        done = _apt("install", "-y", "--no-install-recommends", *packages)
    if done.returncode != 0:
        sys.stderr.write(f"{name} could not be installed; apt-get says: {_last_line(done.stderr)}\n")
    return done.returncode == 0


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Keep Debian from starting what it installs: the stories start servers of their own, on this machine's loopback alone."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _unpack(name: str) -> bool:
    """Unpack a package into the cache."""
    sys.stderr.write(f"Unpacking {name} ...\n")
    with tempfile.TemporaryDirectory() as folder:
        done = _apt("download", name, cwd=folder)
        for package in Path(folder).glob("*.deb"):
            mlmmj.HOME.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "-x", str(package), str(mlmmj.HOME)], check=True)
            return True
    sys.stderr.write(f"{name} could not be fetched; apt-get says: {_last_line(done.stderr)}\n")
    return False


def _apt(*words: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", "-qq", *words], cwd=cwd, env=surroundings, capture_output=True, text=True)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "nothing")


if __name__ == "__main__":
    sys.exit(main())
