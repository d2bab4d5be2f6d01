"""All outgoing HTTP: one request, once, with a deadline, and an answer that says whether anything may have left.

No redirect is followed (it would carry the token elsewhere, or post twice), nothing is tried again, and a connection
that was idle is not used again, since a reset on it would leave open whether the request was read.
"""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MAX_BODY_BYTES = 1_000_000
MAX_IDLE_S = 0.9
CONNECT_TIMEOUT_S = 10.0
FileParts: TypeAlias = Sequence[tuple[str, tuple[str, bytes, str]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` ignores letter case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON; None when it is anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of the request left this machine."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left, or part of it; no whole answer came back."""

    reason: str


Reply: TypeAlias = Answer | NotSent | Lost

_sending = threading.local()


class _Connection(HTTPConnection):
    """A connection that takes note when the first byte is about to be written."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _sending.began = True
        super().send(data)


class _SecureConnection(HTTPSConnection):
    """The same over TLS: the handshake is over before anything counts as sent."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _sending.began = True
        super().send(data)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Bearer(AuthBase):
    """Sets the header itself, so that a `.netrc` cannot replace it; shows nothing of the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Http:
    """A client of one server. Used by one thread at a time."""

    def __init__(self, base_url: str, *, token: str, timeout_s: float) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.mount("http://", _Adapter(max_retries=0, pool_maxsize=1))
        self._session.mount("https://", _Adapter(max_retries=0, pool_maxsize=1))
        self._session.auth = _Bearer(token)
        self._session.headers["User-Agent"] = "outreach"
        # Read proxies and certificates from the environment once, and a netrc never.
        around = self._session.merge_environment_settings(base_url, {}, None, None, None)
        self._session.proxies, self._session.verify = around["proxies"], around["verify"]
        self._session.trust_env = False
        self._used_at = time.monotonic()

    def __repr__(self) -> str:
        return f"Http({self._base_url!r})"

    def post(self, path: str, data: Mapping[str, str], *, files: FileParts | None = None) -> Reply:
        """Send a form, as multipart when it has files."""
        return self._once("POST", path, data=data, files=files)

    def get(self, path: str, params: Mapping[str, str]) -> Reply:
        """Read something."""
        return self._once("GET", path, params=params)

    def _once(self, method: str, path: str, **parts: Any) -> Reply:
        self._drop_an_idle_connection()
        _sending.began = False
        deadline = time.monotonic() + self._timeout_s
        timeout = (min(CONNECT_TIMEOUT_S, self._timeout_s), self._timeout_s)
        try:
            response = self._session.request(
                method, f"{self._base_url}{path}", timeout=timeout, allow_redirects=False, stream=True, **parts
            )
            with response:
                body = _read(response, deadline)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as trouble:
            return _explained(trouble)
        finally:
            self._used_at = time.monotonic()
        return Answer(response.status_code, response.headers, body)

    def _drop_an_idle_connection(self) -> None:
        if time.monotonic() - self._used_at > MAX_IDLE_S:
            self._session.close()


def _read(response: requests.Response, deadline: float) -> bytes:
    body = bytearray()
    while chunk := response.raw.read1(65_536, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise requests.exceptions.ContentDecodingError("the answer is too long")
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout("the answer took too long")
    return bytes(body)


def _explained(trouble: Exception) -> Reply:
    """Never quotes the exception, which may hold a URL: its class says enough."""
    name = type(trouble).__name__
    if not getattr(_sending, "began", False):
        words = {
            "SSLError": "no secure connection could be made (TLS)",
            "ConnectTimeout": "no connection could be made in time",
            "ProxyError": "the proxy could not be reached",
        }
        return NotSent(words.get(name, "no connection could be made"))
    words = {
        "ReadTimeout": "no answer came in time",
        "ReadTimeoutError": "the answer did not end in time",
        "ContentDecodingError": "the answer could not be read",
    }
    return Lost(words.get(name, "the connection broke before the answer was whole"))
