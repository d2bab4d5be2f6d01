"""The control interface for another process: everything below `/_sandbox`, in JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .answers import Answer, plain_json
from .audience import engage
from .web import Request

if TYPE_CHECKING:
    from .box import Sandbox


def control(box: "Sandbox", request: Request) -> Answer:
    """Answer one control request; 400 with the reason for one that makes no sense."""
    name = request.path.removeprefix("/_sandbox").strip("/")
    if request.method == "GET" and name in _SHOWN:
        return plain_json(_SHOWN[name](box))
    if request.method != "POST" or name not in _DONE:
        return plain_json({"error": f"no {request.method} /_sandbox/{name}"}, 404)
    try:
        _DONE[name](box, _arguments(request))
    except (ValueError, TypeError, KeyError) as wrong:
        return plain_json({"error": str(wrong)}, 400)
    return plain_json({"ok": True})


def addresses(box: "Sandbox") -> dict[str, Any]:
    """Return where everything is and the credentials for it."""
    return {
        "not": "This is a sandbox, not Facebook.",
        "graph_url": box.graph_url, "smtp_host": box.smtp_host, "smtp_port": box.smtp_port,
        "app_id": box.app_id, "app_secret": box.app_secret, "app_token": box.app_token, "user_token": box.user_token,
        "page_id": box.page_id, "page_token": box.page_token, "pages": [asdict(page) for page in box.pages],
        "list_address": box.list_address, "lists": box.lists, "member": box.member, "alert_address": box.alert_address,
        "page_url": box.page_url, "archive_url": box.archive_url, "mailboxes_url": box.mailboxes_url,
        "imap_port": box.imap_port, "mailbox_password": box.mailbox_password,
    }  # fmt: skip


def _posts(box: "Sandbox") -> dict[str, Any]:
    return {
        page.id: [
            asdict(post)
            | {"created_at": post.created_at.isoformat(), "pictures": [list(picture) for picture in post.pictures]}
            for post in box.graph.public_posts(page.id)
        ]
        for page in box.pages
    }


def _mails(box: "Sandbox") -> dict[str, Any]:
    return {
        address: {
            "distributed": [_mail_facts(mail) for mail in box.mail.distributed(address)],
            "held": [
                {"id": held.id, "reason": held.reason, **_mail_facts(held.mail)} for held in box.mail.held(address)
            ],
        }
        for address in box.lists
    }


def _mail_facts(mail: Any) -> dict[str, str]:
    raw = mail.raw.decode("utf-8", "replace")
    return {"message_id": mail.message_id, "subject": mail.subject, "at": mail.at.isoformat(), "raw": raw}


def _journal(box: "Sandbox") -> dict[str, Any]:
    graph = [asdict(entry) | {"at": entry.at.isoformat()} for entry in tuple(box.graph.journal)]
    return {"graph": graph, "mail": [asdict(line) | {"at": line.at.isoformat()} for line in tuple(box.mail.journal)]}


def _arguments(request: Request) -> dict[str, Any]:
    value = json.loads(request.body or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


def _fail(box: "Sandbox", arguments: dict[str, Any]) -> None:
    where = arguments.pop("where", "graph")
    if where == "mail":
        box.mail.fail(**arguments)
    elif where != "graph":
        raise ValueError(f"where must be graph or mail, not {where!r}")
    elif "name" in arguments:
        box.graph.fail_with(**arguments)
    else:
        box.graph.fail(**arguments)


def _rules(box: "Sandbox", arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        if not hasattr(box.graph.rules, name):
            raise ValueError(f"no rule {name!r}")
        setattr(box.graph.rules, name, value)


_SHOWN: dict[str, Callable[["Sandbox"], Any]] = {
    "": addresses,
    "posts": _posts,
    "mails": _mails,
    "journal": _journal,
    "webhooks": lambda box: [asdict(d) | {"at": d.at.isoformat(), "body": d.body.decode()} for d in box.webhooks.log],
    "strays": lambda box: list(box.graph.strays),
}
_DONE: dict[str, Callable[["Sandbox", dict[str, Any]], None]] = {
    "fail": _fail,
    "rules": _rules,
    "kill": lambda box, arguments: _kill(box, **arguments),
    "narrow": lambda box, arguments: _narrow(box, **arguments),
    "block": lambda box, arguments: box.graph.block(arguments["page_id"], float(arguments["seconds"])),
    "reset": lambda box, _: box.reset(),
    "release": lambda box, _: box.release(),
    "advance": lambda box, arguments: box.graph.clock.advance(float(arguments["seconds"])),
    "engage": lambda box, arguments: engage(box.graph.world, **arguments),
    "webhook": lambda box, arguments: box.webhooks.act(**arguments),
    "moderate": lambda box, arguments: _moderate(box, **arguments),
}


def _kill(box: "Sandbox", *, token: str, subcode: int) -> None:
    box.graph.tokens.kill(token, subcode)


def _narrow(box: "Sandbox", *, token: str, without: list[str]) -> None:
    box.graph.tokens.narrow(token, *without)


def _moderate(box: "Sandbox", *, id: int, accept: bool, reason: str = "") -> None:  # the JSON's own word
    if accept:
        box.mail.release(id)
    else:
        box.mail.refuse(id, reason)
