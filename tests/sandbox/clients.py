"""Clients of the sandbox for its tests: plain HTTP calls, mails, and bare sockets."""

import json
import smtplib
import socket
from typing import Any

import requests

from outreach.sandbox import Mail, Sandbox

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 32
PATIENCE_S = 20


class Caller:
    """Calls the Graph side with the first Page's token unless told otherwise."""

    def __init__(self, box: Sandbox, version: str = "v25.0") -> None:
        self.box, self.version = box, version
        self.session = requests.Session()

    def url(self, path: str) -> str:
        return f"{self.box.graph_url}/{self.version}/{path}" if self.version else f"{self.box.graph_url}/{path}"

    def post(self, path: str, *, token: str | None = None, files: Any = None, **data: Any) -> requests.Response:
        data = {"access_token": token or self.box.page_token, **data}
        return self.session.post(self.url(path), data=data, files=files, timeout=PATIENCE_S)

    def get(self, path: str, *, token: str | None = None, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.box.page_token}"}
        return self.session.get(
            self.url(path), params=params, headers=headers, timeout=PATIENCE_S, allow_redirects=False
        )

    def delete(self, path: str) -> requests.Response:
        return self.session.delete(self.url(path), params={"access_token": self.box.page_token}, timeout=PATIENCE_S)

    def feed(self, **data: Any) -> requests.Response:
        return self.post(f"{self.box.page_id}/feed", **data)

    def publish(self, message: str, **data: Any) -> str:
        return str(self.feed(message=message, **data).json()["id"])

    def stage(self, content: bytes = PNG, **data: Any) -> str:
        answer = self.post(
            f"{self.box.page_id}/photos", files={"source": ("a.png", content)}, published="false", **data
        )
        return str(answer.json()["id"])

    def ids(self, edge: str = "published_posts", **params: Any) -> list[str]:
        return [str(entry["id"]) for entry in self.get(f"{self.box.page_id}/{edge}", **params).json()["data"]]


def media(*photo_ids: str) -> str:
    """Return the value of `attached_media` for staged photos."""
    return json.dumps([{"media_fbid": photo_id} for photo_id in photo_ids])


def error_of(answer: requests.Response) -> tuple[int, int, int | None]:
    """Return HTTP status, code and subcode of a refusal."""
    inner = answer.json()["error"]
    return answer.status_code, inner["code"], inner.get("error_subcode")


def a_mail(box: Sandbox, **changes: str) -> bytes:
    """Compose a mail to the first list; `changes` replace headers (an empty one is left out) or the `body`."""
    body = changes.pop("body", "The colloquium is on Tuesday.\r\n")
    heads = {
        "From": f"Coordinator <{box.member}>",
        "To": box.list_address,
        "Subject": "Colloquium",
        "Message-ID": "<one@example.org>",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    lines = [f"{name}: {value}" for name, value in heads.items() if value]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def submit(box: Sandbox, raw: bytes | None = None, *, to: str | None = None) -> None:
    """Submit a mail as the coordinator."""
    with smtplib.SMTP(box.smtp_host, box.smtp_port, timeout=PATIENCE_S) as smtp:
        smtp.sendmail(box.member, [to or box.list_address], raw or a_mail(box))


def only(mails: list[Mail]) -> Mail:
    """Return the single mail of a list."""
    assert len(mails) == 1
    return mails[0]


def talk(port: int, payload: bytes) -> bytes:
    """Send bytes over a bare socket and return everything that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(payload)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received
