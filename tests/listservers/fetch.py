"""`python -m tests.listservers.fetch`: make the virtual environment in which a real GNU Mailman runs, apart from the service's own."""

import subprocess
import sys
import venv

from tests.listservers.mailman import HOME, LOCK, runs_here


def main() -> int:
    """Make it; exit code 1, with a sentence, where that is not possible."""
    if not runs_here():
        sys.stderr.write("GNU Mailman 3.3.10 runs on no Python newer than 3.12; its story is left out.\n")
        HOME.mkdir(parents=True, exist_ok=True)
        return 0
    sys.stderr.write("Fetching a GNU Mailman for the tests of the list ...\n")
    try:
        venv.create(HOME, clear=True, with_pip=True)
        command = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--require-hashes", "-r", str(LOCK)], check=True)
    except (OSError, subprocess.CalledProcessError) as trouble:
        sys.stderr.write(f"A GNU Mailman could not be installed ({type(trouble).__name__}); pip says above why.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
