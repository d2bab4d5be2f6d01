"""Which part of the sandbox answers a path: the Graph API, the public views, or the control interface."""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

from . import archive_view, look, page_view
from .answers import Answer
from .control import control
from .oauth_view import dialog
from .web import Request

if TYPE_CHECKING:
    from .box import Sandbox


class Routes:
    """Everything behind the sandbox's HTTP port."""

    def __init__(self, box: "Sandbox") -> None:
        self._box = box

    def respond(self, request: Request) -> Answer:
        """Answer one request."""
        parts = request.path.strip("/").split("/")
        match parts[0]:
            case "_sandbox":
                return look.stylesheet() if parts[1:] == ["style.css"] else control(self._box, request)
            case "page" | "media":
                return self._show_page(parts)
            case "lists":
                return self._show_list([unquote(part) for part in parts[1:]])
            case "mailboxes":
                return archive_view.mailboxes(self._box.mail)
            case "" if not request.query and request.method in {"GET", "HEAD"}:
                return self._index()
            case _ if parts[-2:] == ["dialog", "oauth"] and len(parts) <= 3:
                with self._box.graph.world.lock:
                    return dialog(self._box.graph.oauth, request)
            case _:
                return self._box.graph.answer(request)

    def _show_page(self, parts: list[str]) -> Answer:
        world = self._box.graph.world
        with world.lock:
            world.settle()
            match parts:
                case ["page", page_id]:
                    return page_view.page_view(world, page_id)
                case ["page", page_id, "posts", number]:
                    return page_view.post_view(world, page_id, number)
                case ["media", photo_id]:
                    return page_view.picture(world, photo_id)
        return look.not_found()

    def _show_list(self, parts: list[str]) -> Answer:
        match parts:
            case [address]:
                return archive_view.archive(self._box.mail, address)
            case [address, number]:
                return archive_view.single(self._box.mail, address, number)
            case [address, number, "raw"]:
                return archive_view.raw(self._box.mail, address, number)
        return look.not_found()

    def _index(self) -> Answer:
        pages = "".join(
            f'<li><a href="/page/{page.id}">{escape(page.name)}</a>, a Page</li>' for page in self._box.pages
        )
        lists = "".join(
            f'<li><a href="/lists/{escape(name)}">{escape(name)}</a>, a mailing list</li>' for name in self._box.lists
        )
        mailboxes = '<li><a href="/mailboxes">Everybody\'s mailboxes</a></li>'
        return look.page("Sandbox", f"<h1>What the sandbox shows</h1><ul>{pages}{lists}{mailboxes}</ul>")
