"""DKIM: what is signed verifies, and stays as it was approved."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dkim
import pytest

from outreach.channels.listserv import Listserv
from outreach.mail.signing import SIGNED, Signer
from outreach.mail.submission import Mail, Server, submit
from outreach.model import Attempt, BadInput, Content, Published, Refused, without_date
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.channels.builders import a_wording, an_attempt, the_list
from tests.mail.keys import SIGNATURE, dns, key_settings, pem_of

KINDS = {"rsa": b"rsa-sha256", "ed25519": b"ed25519-sha256"}


def a_signer(folder: Path, kind: str = "rsa", **more: str) -> Signer:
    signer = Signer.from_settings(read_settings(key_settings(folder, kind, **more)))
    assert signer is not None
    return signer


def a_signing_list(box: Sandbox, folder: Path, kind: str = "rsa", **more: Any) -> Listserv:
    return the_list(box, server={"signer": a_signer(folder, kind)}, **more)


def tags(message: bytes) -> dict[bytes, bytes]:
    """The tags of the signature on top of a message."""
    signature = SIGNATURE.match(message)
    assert signature is not None
    bare = re.sub(rb"\s", b"", signature[0].partition(b":")[2])
    return dict(part.split(b"=", 1) for part in bare.split(b";") if part)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["Join us on *Friday*.", ".dot\n\nFrom here\n\n" + "é " * 700 + "\n\nblanks  \n", "x"])
def test_what_reaches_the_list_is_signed_and_is_what_was_approved(
    box: Sandbox, tmp_path: Path, kind: str, body: str
) -> None:
    here = a_signing_list(box, tmp_path, kind)
    content = here.render(a_wording(title="Zoë’s poster 🎉", body=body))
    assert isinstance(here.publish(an_attempt(content)), Published)
    [mail] = box.mail.distributed()
    assert content.message is not None
    assert dkim.verify(mail.raw, dnsfunc=dns(kind))
    unsigned = SIGNATURE.sub(b"", mail.raw)
    assert b"DKIM-Signature" not in unsigned
    assert without_date(unsigned) == without_date(content.message.encode("ascii"))


def test_the_signature_says_what_it_is_over(box: Sandbox, tmp_path: Path) -> None:
    for kind, algorithm in KINDS.items():
        said = tags(a_signer(tmp_path, kind).signed(b"From: a@example.org\r\nTo: b@example.org\r\n\r\nx\r\n"))
        assert (said[b"a"], said[b"c"]) == (algorithm, b"relaxed/relaxed")
        assert (said[b"d"], said[b"s"]) == (b"example.org", b"lists")
        assert said[b"h"].lower() == b":".join(name.lower().encode() for name in SIGNED)
        assert b"l" not in said  # what is added at the end is no part of what was signed


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_header_that_is_changed_is_found_out(tmp_path: Path, box: Sandbox, name: str) -> None:
    here = a_signing_list(box, tmp_path)
    here.publish(an_attempt(here.render(a_wording())))
    [mail] = box.mail.distributed()
    changed = re.sub(rb"(?m)^" + name.encode() + rb": ", name.encode() + b": x", mail.raw, count=1)
    assert changed != mail.raw
    assert not dkim.verify(changed, dnsfunc=dns("rsa"))


def test_a_body_that_is_changed_is_found_out_and_another_key_does_not_do(tmp_path: Path, box: Sandbox) -> None:
    here = a_signing_list(box, tmp_path)
    here.publish(an_attempt(here.render(a_wording(body="Room 7"))))
    [mail] = box.mail.distributed()
    assert not dkim.verify(mail.raw.replace(b"Room 7", b"Room 8"), dnsfunc=dns("rsa"))
    assert not dkim.verify(mail.raw, dnsfunc=dns("short", b"lists._domainkey.example.org."))


def test_the_preview_and_the_hash_are_those_of_the_unsigned_message(box: Sandbox, tmp_path: Path) -> None:
    wording = a_wording()
    plain, signing = the_list(box).render(wording), a_signing_list(box, tmp_path).render(wording)
    assert (plain.message, plain.sha256()) == (signing.message, signing.sha256())


def test_without_the_settings_nothing_is_signed(box: Sandbox) -> None:
    here = the_list(box)
    here.publish(an_attempt(here.render(a_wording())))
    [mail] = box.mail.distributed()
    assert b"DKIM-Signature" not in mail.raw


def test_an_answer_to_a_list_server_is_signed_too(box: Sandbox, tmp_path: Path) -> None:
    box.mail.add_mailbox("tmm-sig-request@lists.example.org")
    here = a_signing_list(box, tmp_path)
    assert isinstance(here.answer("tmm-sig-request@lists.example.org", "OK", "Yes."), Published)
    [raw] = box.mail.mailbox("tmm-sig-request@lists.example.org")
    assert dkim.verify(raw, dnsfunc=dns("rsa"))


def test_a_message_that_cannot_be_signed_is_refused_and_nothing_is_said(box: Sandbox, tmp_path: Path) -> None:
    server = Server("127.0.0.1", box.smtp_port, "none", signer=a_signer(tmp_path))
    outcome = submit(server, Mail("a@example.org", box.list_address, b"no header\r\nFrom: x\r\n\r\nx", "<1@x>"))
    assert isinstance(outcome, Refused)
    assert "check the DKIM_* settings" in outcome.reason
    assert box.mail.journal == []


def test_what_is_not_what_was_approved_is_not_signed_and_not_sent(box: Sandbox, tmp_path: Path) -> None:
    """The comparison is the publisher's, with the message before its signature: a signature does not change the hash."""
    content = the_list(box).render(a_wording())
    attempt: Attempt = an_attempt(content)
    assert attempt.content.is_what_was_approved(attempt.post.content_sha256)
    assert content.message is not None
    signed = a_signer(tmp_path).signed(content.message.encode("ascii")).decode("ascii")
    assert not Content("listserv", "", message=signed).is_what_was_approved(attempt.post.content_sha256)


@pytest.mark.parametrize("is_old", [False, True])
def test_a_key_may_be_written_as_openssl_once_did(tmp_path: Path, is_old: bool) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem_of("rsa", is_old=is_old))
    signed = a_signer(tmp_path, DKIM_KEY_FILE=str(file)).signed(b"From: a@example.org\r\n\r\nx\r\n")
    assert dkim.verify(signed, dnsfunc=dns("rsa"))


@pytest.mark.parametrize(
    "value", ["no-dot", "a b.example.org", "example.org;x", "-a.example.org", "example.org.", "é.org"]
)
def test_a_domain_that_is_none_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_settings(key_settings(tmp_path, DKIM_DOMAIN=value))
    assert caught.value.where == "DKIM_DOMAIN"
