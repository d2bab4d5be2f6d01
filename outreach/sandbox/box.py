"""The whole sandbox in one object: a Facebook and a list server on this machine."""

import ipaddress
import re
import ssl
import threading
from types import TracebackType
from typing import Self

from .clock import Clock
from .graph import Graph
from .identifiers import page_number, secret_text
from .imap_server import PASSWORD, ImapServer
from .maillist import MailList
from .patience import Patience
from .post_office import PostOffice
from .records import Page, User
from .routes import Routes
from .rules import Rules
from .smtp_server import Door, SmtpServer
from .tokens import Kind, TokenBook
from .web import WebServer
from .webhooks import Webhooks
from .world import World

MEMBER = "coordinator@example.org"
ALERTS = "alerts@example.org"
OTHER_MEMBERS = ("first.member@example.org", "second.member@example.org", "third.member@example.org")


class Sandbox:
    """A stand-in for Facebook and a list server; nothing it takes ever leaves this machine.

    Ports are picked when it starts and kept when it stops, so a stopped sandbox can come back at the same addresses.
    With `smtp_credentials` (name, password) AUTH is required, with `smtp_tls` STARTTLS is offered. Raises `ValueError`
    for a host other machines could reach.
    """

    graph: Graph
    mail: PostOffice
    pages: list[Page]
    webhooks: Webhooks

    def __init__(self, host: str = "127.0.0.1", http_port: int = 0, smtp_port: int = 0, *, community: str = "TMM SIG",
                 pages: int = 1, lists: int = 1, clock: Clock | None = None,
                 smtp_credentials: tuple[str, str] | None = None, smtp_tls: ssl.SSLContext | None = None) -> None:  # fmt: skip
        self._host = _loopback(host)
        self._http_port, self._smtp_port = http_port, smtp_port
        self._door = Door(smtp_credentials, smtp_tls)
        self._patience = Patience()
        self._web: WebServer | None = None
        self._smtp: SmtpServer | None = None
        self._imap: ImapServer | None = None
        self._imap_port = 0
        clock = clock or Clock()
        self._build_graph(community, pages, clock)
        self._build_mail(community, lists, clock)
        self._routes = Routes(self)

    def _build_graph(self, community: str, pages: int, clock: Clock) -> None:
        self.app_id, self.app_secret = page_number(), secret_text()
        tokens = TokenBook(self.app_id, self.app_secret)
        user = User(page_number(), f"{community} Coordinator")
        now = clock.now()
        self.pages = []
        for name in _numbered(community, pages):
            page_id = page_number()
            token = tokens.issue(Kind.PAGE, now=now, user_id=user.id, page_id=page_id)
            self.pages.append(Page(page_id, name, token))
        self.user_token = tokens.issue(Kind.USER, now=now, user_id=user.id)
        self.app_token = tokens.issue(Kind.APP, now=now)
        self.graph = Graph(World(self.pages, user, clock=clock, rules=Rules()), tokens, self._patience)
        self.graph.world.app_id = self.app_id
        self.webhooks = Webhooks(self.graph.world, self.app_secret)

    def _build_mail(self, community: str, lists: int, clock: Clock) -> None:
        self.member = MEMBER
        members = {MEMBER, *OTHER_MEMBERS}
        names = _numbered(community, lists)
        made = [MailList(f"{_slug(name)}@lists.example.org", name, set(members)) for name in names]
        self.mail = PostOffice(made, [*sorted(members), ALERTS], clock=clock)

    def start(self) -> None:
        """Begin to serve; returns when both servers answer."""
        self._patience.begin()
        smtp = SmtpServer((self._host, self._smtp_port), self.mail, self._patience, self._door)
        try:
            web = WebServer((self._host, self._http_port), self._routes.respond, self._patience)
        except OSError:
            smtp.server_close()
            raise
        self._http_port, self._smtp_port = web.server_address[1], smtp.server_address[1]
        self.graph.world.base_url = self.graph_url
        web.run()
        smtp.run()
        self._web, self._smtp = web, smtp
        self._imap = ImapServer((self._host, self._imap_port), self.mail)
        self._imap_port = self._imap.server_address[1]
        self._imap.run()

    def stop(self) -> None:
        """Stop serving and cut every connection within two seconds. What was posted stays readable."""
        self._patience.end()
        running = [server for server in (self._web, self._smtp, self._imap) if server is not None]
        stoppers = [threading.Thread(target=server.stop) for server in running]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        self._web = self._smtp = self._imap = None

    def reset(self) -> None:
        """Forget posts, mails, journals and faults; tokens, lists, rules and the clock stay."""
        self.graph.reset()
        self.mail.reset()

    def release(self) -> None:
        """Let everything that hangs or is delayed, on either side, go on now."""
        self._patience.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def graph_url(self) -> str:
        """Where the Graph API answers; versions and paths go behind it."""
        return f"http://{self._host}:{self._http_port}"

    @property
    def smtp_host(self) -> str:
        """Where mail is submitted."""
        return self._host

    @property
    def smtp_port(self) -> int:
        """The port for mail; 0 before the first start."""
        return self._smtp_port

    @property
    def imap_port(self) -> int:
        """The port where mailboxes are read, on the same host: with an address and `mailbox_password`."""
        return self._imap_port

    @property
    def mailbox_password(self) -> str:
        """The password of every mailbox."""
        return PASSWORD

    @property
    def page_id(self) -> str:
        """The first Page."""
        return self.pages[0].id

    @property
    def page_token(self) -> str:
        """The first Page's token."""
        return self.pages[0].token

    @property
    def lists(self) -> list[str]:
        """The addresses of all lists."""
        return list(self.mail.lists)

    @property
    def list_address(self) -> str:
        """The first list."""
        return self.lists[0]

    @property
    def alert_address(self) -> str:
        """A person's mailbox for alerts, member of no list."""
        return ALERTS

    @property
    def page_url(self) -> str:
        """The first Page as the public sees it."""
        return f"{self.graph_url}/page/{self.page_id}"

    @property
    def archive_url(self) -> str:
        """The first list's archive."""
        return f"{self.graph_url}/lists/{self.list_address}"

    @property
    def mailboxes_url(self) -> str:
        """The mails that people got."""
        return f"{self.graph_url}/mailboxes"


def _loopback(host: str) -> str:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_safe = ipaddress.IPv4Address(address).is_loopback
    except ValueError:
        is_safe = False
    if not is_safe:
        raise ValueError(f"the sandbox serves this machine only (127.0.0.1), not {host!r}")
    return address


def _numbered(name: str, how_many: int) -> list[str]:
    return [name if number == 1 else f"{name} {number}" for number in range(1, how_many + 1)]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "list"
