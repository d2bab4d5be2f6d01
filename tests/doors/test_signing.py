"""An install that signs its mails: a worker does it, `channels check` warns, a wrong setting is told by its name."""

import subprocess
import sys
from pathlib import Path

import dkim
import pytest

from outreach.mail.signing import Signer
from outreach.mail.submission import Server
from outreach.model import Content
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.doors.place import Place, until
from tests.doors.workers import once, working
from tests.mail.keys import SIGNATURE, dns, key_settings, pem_of


@pytest.fixture
def signing(place: Place, tmp_path: Path) -> Place:
    """An install that signs."""
    place.settings |= key_settings(tmp_path)
    return place


def test_a_worker_signs_what_was_approved_and_nothing_else(signing: Place, box: Sandbox) -> None:
    with working(signing):
        [post] = signing.json("add", signing.letter(to="listserv"))["posts"]
        until(lambda: signing.states() == {"1/listserv": "published"})
    [mail] = box.mail.distributed()
    assert dkim.verify(mail.raw, dnsfunc=dns("rsa"))
    sent = Content("listserv", "", message=SIGNATURE.sub(b"", mail.raw).decode("ascii"))
    assert sent.sha256() == post["content_sha256"]


def test_a_check_of_the_channel_is_content_with_a_domain_that_is_the_senders(signing: Place) -> None:
    assert signing.cli("channels", "check", "listserv").code == 0
    assert "DKIM" not in signing.cli("channels", "check", "listserv").out


@pytest.mark.parametrize(
    ("domain", "warns"),
    [("example.org", False), ("EXAMPLE.org", False), ("mail.example.org", False), ("org.example.net", True),
     ("badexample.org", True), ("example.net", True)],
)  # fmt: skip
def test_a_domain_that_is_not_the_senders_is_warned_of(signing: Place, domain: str, warns: bool) -> None:
    signing.settings["DKIM_DOMAIN"] = domain
    answer = signing.cli("channels", "check", "listserv")
    said = " ".join(answer.out.split())
    assert answer.code == 0
    assert ("but LISTSERV_SENDER is at example.org: it does not count" in said) == warns
    assert ("Set DKIM_DOMAIN to example.org" in said) == warns


# Settings that are wrong


@pytest.mark.parametrize("name", ["DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_KEY_FILE"])
def test_what_is_half_set_is_told_at_the_start_and_by_doctor(signing: Place, name: str) -> None:
    signing.settings[name] = ""
    for words in (("worker", "--once"), ("doctor",)):
        answer = signing.cli(*words)
        assert answer.code == 1
        assert f"{name}: DKIM is half filled: {name} missing. Fill all or none." in " ".join(
            (answer.out + answer.err).split()
        )


WRONG = {
    "not there": (None, "cannot be read (No such file or directory)"),
    "no key": (b"hello", "holds no private key in PEM"),
    "broken": (pem_of("rsa")[:300], "holds no private key in PEM"),
    "empty": (b"", "holds no private key in PEM"),
    "locked": (pem_of("rsa", passphrase=b"secret"), "is locked with a passphrase"),
    "another kind": (pem_of("elliptic"), "is of a kind that DKIM does not know"),
}


@pytest.mark.parametrize(("key", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_key_that_is_none_is_told_at_the_start_and_by_doctor(
    signing: Place, tmp_path: Path, key: bytes | None, words: str
) -> None:
    file = tmp_path / "wrong.pem"
    if key is not None:
        file.write_bytes(key)
    signing.settings["DKIM_KEY_FILE"] = str(file)
    for door in (("worker", "--once"), ("doctor",)):
        answer = signing.cli(*door)
        said = " ".join((answer.out + answer.err).split())
        assert answer.code == 1
        assert "DKIM_KEY_FILE: " in said
        assert words in said
        assert not key or len(key) < 60 or key.decode("ascii")[30:60] not in said


@pytest.mark.parametrize(("kind", "missing"), [("rsa", "dkim"), ("ed25519", "nacl"), ("ed25519", "nacl.signing")])
def test_without_the_extra_the_setting_says_how_to_install_it(
    place: Place, tmp_path: Path, kind: str, missing: str
) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from outreach.doors.cli import main; main()"
    environment = place.environment() | key_settings(tmp_path, kind)
    command = [sys.executable, "-c", code, "worker", "--once"]
    done = subprocess.run(command, env=environment, cwd=place.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DKIM_DOMAIN: What signs mails is not installed." in done.stderr
    assert "pip install 'outreach[dkim]'" in done.stderr


def test_the_key_is_shown_nowhere(signing: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    signing.json("add", signing.letter(to="listserv"))
    assert once(signing) == 1
    signer = Signer.from_settings(read_settings(signing.settings))
    assert signer is not None
    shown = caplog.text + repr(signer) + repr(Server("127.0.0.1", 1, "none", signer=signer))
    shown += "".join(signing.cli(*words).out for words in (("doctor",), ("channels",), ("show", "1")))
    lines = [*pem_of("rsa").decode().split("\n")[1:-2], *signer.key.decode().split("\n")[1:-2]]
    assert [line for line in lines if line in shown] == []
