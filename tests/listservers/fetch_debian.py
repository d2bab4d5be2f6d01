"""`python -m tests.listservers.fetch_debian`: install the list servers and mail programs that Debian has, where we may."""

import os
import shutil
import subprocess
import sys

from tests.listservers import dovecot, mlmmj, spamassassin, sympa

PACKAGES = {"mlmmj": mlmmj, "sympa": sympa, "dovecot-imapd": dovecot, "spamassassin": spamassassin}
_ANSWERS = """\
sympa sympa/dbconfig-install boolean false
sympa sympa/hostname string lists.example.org
sympa sympa/listmaster string listmaster@lists.example.org
sympa sympa/use_soap boolean false
sympa wwsympa/webserver_type select Other
"""


def main() -> int:
    """Install what is missing. What cannot be is told and left out: the others are asked all the same."""
    missing = [name for name, program in PACKAGES.items() if not program.is_installed()]
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.stderr.write(f"Left out, since only root on a Debian can install and run them: {', '.join(missing)}.\n")
        return 0
    sys.stderr.write(f"Installing {', '.join(missing)} from Debian (about two minutes) ...\n")
    around = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], around)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debconf"], around)
    _run(["debconf-set-selections"], around, told=_ANSWERS)
    for (
        name
    ) in missing:  # one by one: where the scripts of one fail, the others are whole; what counts is whether it is there
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", name], around)
    for name in missing:
        if not PACKAGES[name].is_installed():
            sys.stderr.write(f"{name} could not be installed.\n")
    return 0


def _run(command: list[str], around: dict[str, str], told: str = "") -> None:
    subprocess.run(command, env=around, input=told.encode(), capture_output=True, check=False, timeout=900)


if __name__ == "__main__":
    sys.exit(main())
