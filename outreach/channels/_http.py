"""All outgoing HTTP: one request, once, with a deadline, and an answer that says whether anything may have left.

No redirect is followed (it would carry the token elsewhere, or post twice), nothing is tried again, and a connection
that was idle is not used again, since a reset on it would leave open whether the request was read.
"""

import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPResponse
from typing import Any, ClassVar, Self, TypeAlias
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from outreach.channels._deadline import Reader, left_s, steady_s
from outreach.settings import is_loopback

MAX_BODY_BYTES = 1_000_000
MAX_IDLE_S = 0.9
CONNECT_TIMEOUT_S = 10.0
SLOWEST_UPLOAD_BYTES_PER_S = 100_000
NOT_ALLOWED = "its time was over before the first byte left"
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

    def date(self) -> datetime | None:
        """Give the instant at which it was made, to the second; None when it does not say."""
        try:
            date = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        return date if date.tzinfo else None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not one byte of the request left this machine."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The request left, or part of it; no whole answer came back."""

    reason: str


Reply: TypeAlias = Answer | NotSent | Lost


def _always() -> bool:
    return True


class _Sending(threading.local):
    """The request of this thread: whether its first byte is out, and until when its answer has to be whole."""

    began = False
    is_connecting = False
    until_s = 0.0
    may_begin: Callable[[], bool] = staticmethod(_always)


_sending = _Sending()


class NotAllowed(OSError):
    """The first byte was about to leave when its time was over: nothing has left."""


class _Response(HTTPResponse):
    """An answer whose headers, too, have to arrive before the deadline."""

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        plain, self.fp = self.fp, io.BufferedReader(Reader(sock, _sending.until_s))
        plain.close()


class _Connection(HTTPConnection):
    """A connection that takes note when the first byte of a request is about to be written."""

    response_class = _Response

    def connect(self) -> None:
        # What a proxy is asked for first, and the TLS handshake, are no part of the request.
        _sending.is_connecting = True
        try:
            super().connect()
        finally:
            _sending.is_connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _sending.is_connecting:
            self.sock.settimeout(left_s(_sending.until_s))
            if not _sending.began and not _sending.may_begin():
                raise NotAllowed
            _sending.began = True
        super().send(data)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Uses the connections above whatever the way: one that took no note would let a lost answer pass for unsent."""

    _pools: ClassVar = {"http": _Pool, "https": _SecurePool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidProxyURL("a SOCKS proxy cannot be used")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _PinnedAdapter(_Adapter):
    """Connects to an address, yet asks for the certificate of a name."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(max_retries=0, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, server_hostname=self._name, assert_hostname=self._name)


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        """See no redirect: even unfollowed, requests would read all of its body first, however long it is."""
        return


class _Bearer(AuthBase):
    """Sets the header itself, so that a `.netrc` cannot replace it; shows nothing of the token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Http:
    """A client of one server. Used by one thread at a time. `token` None: it says nothing of who it is."""

    def __init__(self, base_url: str, *, token: str | None, timeout_s: float, max_idle_s: float = MAX_IDLE_S) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._max_idle_s = max_idle_s
        self._session = _Session()
        self._session.mount("http://", _Adapter(max_retries=0, pool_maxsize=1))
        self._session.mount("https://", _Adapter(max_retries=0, pool_maxsize=1))
        self._session.auth = _Bearer(token) if token is not None else None
        self._session.headers["User-Agent"] = "outreach"
        # Read proxies and certificates from the environment once, and a netrc never.
        around = self._session.merge_environment_settings(base_url, {}, None, None, None)
        is_here = is_loopback(urlsplit(base_url).hostname or "")
        self._session.proxies, self._session.verify = {} if is_here else around["proxies"], around["verify"]
        self._session.trust_env = False
        self._used_at = steady_s()

    def __repr__(self) -> str:
        return f"Http({self._base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def post(
        self,
        path: str,
        data: Mapping[str, str],
        *,
        files: FileParts | None = None,
        may_begin: Callable[[], bool] = _always,
    ) -> Reply:
        """Send a form, as multipart when it has files. A large file has longer to leave.

        `may_begin` is asked when the first byte is about to leave; a no ends in `NotSent` with the reason `NOT_ALLOWED`.
        """
        size = sum(len(content) for _, (_, content, _) in files or ())
        _sending.may_begin = may_begin
        try:
            return self._once("POST", path, size / SLOWEST_UPLOAD_BYTES_PER_S, data=data, files=files)
        finally:
            _sending.may_begin = _always

    def delete(self, path: str, params: Mapping[str, str], *, may_begin: Callable[[], bool] = _always) -> Reply:
        """Take something away; `may_begin` as in `post`."""
        _sending.may_begin = may_begin
        try:
            return self._once("DELETE", path, params=params)
        finally:
            _sending.may_begin = _always

    def get(self, path: str, params: Mapping[str, str]) -> Reply:
        """Read something."""
        return self._once("GET", path, params=params)

    def pin(self, host: str, port: int | None) -> None:
        """Speak to the server, whose base URL names an address, as to `host`; no proxy is used."""
        self._session.headers["Host"] = host if port is None else f"{host}:{port}"
        self._session.mount("https://", _PinnedAdapter(host.strip("[]")))
        self._session.proxies = {}

    def peek(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Ask for status and headers alone, whatever body follows."""
        return self._once(method, path, read=lambda _: b"", headers=headers)

    def read_some(self, path: str, most: int) -> Reply:
        """Read the beginning of something, at most so many bytes of it, whatever follows."""
        return self._once("GET", path, read=partial(_beginning, most=most))

    def deliver(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a body as it is; of the answer status and headers are read, whatever body follows."""
        return self._once("POST", path, read=lambda _: b"", data=body, headers=headers)

    def _once(
        self,
        method: str,
        path: str,
        extra_s: float = 0.0,
        read: Callable[[requests.Response], bytes] | None = None,
        **parts: Any,
    ) -> Reply:
        self._drop_an_idle_connection()
        _sending.began, _sending.until_s = False, steady_s() + self._timeout_s + extra_s
        timeout = (min(CONNECT_TIMEOUT_S, self._timeout_s), self._timeout_s)
        try:
            response = self._session.request(
                method, f"{self._base_url}{path}", timeout=timeout, allow_redirects=False, stream=True, **parts
            )
            with response:
                body = (read or _read)(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as trouble:
            return _explained(trouble)
        finally:
            self._used_at = steady_s()
        return Answer(response.status_code, response.headers, body)

    def _drop_an_idle_connection(self) -> None:
        if steady_s() - self._used_at > self._max_idle_s:
            self._session.close()


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    while chunk := response.raw.read1(65_536, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise requests.exceptions.ContentDecodingError("the answer is too long")
    return bytes(body)


def _beginning(response: requests.Response, most: int) -> bytes:
    body = bytearray()
    while len(body) < most and (chunk := response.raw.read1(65_536, decode_content=True)):
        body += chunk
    return bytes(body[:most])


def _explained(trouble: Exception) -> Reply:
    """Never quotes the exception, which may hold a URL or, for a header that cannot be, the token: its class says enough."""
    name = type(trouble).__name__
    if _is_not_allowed(trouble):
        return NotSent(NOT_ALLOWED)
    if not getattr(_sending, "began", False):
        words = {
            "SSLError": "no secure connection could be made (TLS)",
            "ConnectTimeout": "no connection could be made in time",
            "ProxyError": "the proxy could not be reached, or did not let us through",
            "InvalidProxyURL": "the proxy's address cannot be used",
            "ValueError": "the token or the text holds characters that cannot be sent",
            "UnicodeEncodeError": "the token or the text holds characters that cannot be sent",
        }
        return NotSent(words.get(name, "no connection could be made"))
    words = {
        "ReadTimeout": "no answer came in time",
        "ReadTimeoutError": "the answer did not end in time",
        "ContentDecodingError": "the answer could not be read",
    }
    return Lost(words.get(name, "the connection broke before the answer was whole"))


def _is_not_allowed(trouble: BaseException | None) -> bool:
    while trouble is not None and not isinstance(trouble, NotAllowed):
        trouble = trouble.__cause__ or trouble.__context__
    return trouble is not None


_is_unlogged: ContextVar[bool] = ContextVar("is_unlogged", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """Let urllib3 log nothing of what is asked inside the block, where the address itself is the secret."""
    before = _is_unlogged.set(True)
    try:
        yield
    finally:
        _is_unlogged.reset(before)


def is_proxied(url: str) -> bool:
    """Tell whether the environment names a proxy for an address."""
    return bool(requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)))


class _WithoutSecrets(logging.Filter):
    """Takes proofs and tokens out of what urllib3 logs of the addresses that are read."""

    _secret = re.compile(r"((?:appsecret_proof|input_token|access_token|client_secret)=)[^&\s\"']+")

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_unlogged.get():
            return False
        if isinstance(record.args, tuple):
            record.args = tuple(self._secret.sub(r"\1…", a) if isinstance(a, str) else a for a in record.args)
        return True


for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutSecrets())
