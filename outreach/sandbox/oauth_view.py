"""The log-in dialog as a person sees it: who asks for what, permissions and Pages to tick, Continue and Cancel."""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from . import look
from .answers import Answer
from .bodies import Params
from .oauth import OAuth, wanted_scopes
from .web import Request

_ABOUT = {
    "pages_show_list": "Show a list of the Pages you manage",
    "pages_read_engagement": "Read content posted on the Page",
    "pages_manage_posts": "Create and manage content on your Page",
    "pages_manage_engagement": "Create and manage comments on your Page",
    "pages_read_user_content": "Read user content on your Page",
    "pages_manage_metadata": "Manage accounts, settings and webhooks for a Page",
    "read_insights": "Access Page and App insights",
    "business_management": "Manage your business",
}


def dialog(oauth: OAuth, request: Request) -> Answer:
    """Answer `/{version}/dialog/oauth`: the page, or where the person's choice leads."""
    params = Params(dict(parse_qsl(request.query, keep_blank_values=True)))
    complaint = oauth.complaint(params)
    if complaint is not None:
        return look.page("Facebook Login", f"<h1>This does not work</h1><p>{escape(complaint)}</p>", 400)
    if request.method != "POST":
        return _page(oauth, params, request)
    ticked = parse_qsl(request.body.decode("utf-8", "replace"))
    if ("do", "continue") not in ticked:
        return _lead_back(params, error="access_denied", error_code="200", error_description="Permissions error",
                          error_reason="user_denied")  # fmt: skip
    scopes = {value for name, value in ticked if name == "scope"}
    pages = {value for name, value in ticked if name == "page"}
    return _lead_back(params, code=oauth.consent(params, ticked=scopes, pages=pages))


def _lead_back(params: Params, **told: str) -> Answer:
    state = params.text("state")
    query = urlencode(told | ({"state": state} if state is not None else {}))
    address = params.text("redirect_uri") or ""
    joined = f"{address}{'&' if '?' in address else '?'}{query}#_=_"
    return Answer(302, b"", headers=(("Location", joined), ("Cache-Control", "no-store")))


def _page(oauth: OAuth, params: Params, request: Request) -> Answer:
    world = oauth.world
    scopes = "".join(_box("scope", scope, _ABOUT.get(scope, scope)) for scope in wanted_scopes(params))
    pages = "".join(_box("page", page.id, page.name) for page in world.pages.values())
    body = (
        f"<h1>Announcements wants to manage your Pages</h1><p>You are {escape(world.user.name)}.</p>"
        f'<form method="post" action="{escape(request.path)}?{escape(request.query)}">'
        f"<fieldset><legend>Choose the Pages</legend>{pages}</fieldset>"
        f"<fieldset><legend>What it may do</legend>{scopes}</fieldset>"
        '<p><button name="do" value="continue">Continue</button> <button name="do" value="cancel">Cancel</button></p>'
        "</form>"
    )
    answer = look.page("Facebook Login", body)
    target = urlsplit(params.text("redirect_uri") or "")
    policy = dict(look.SAFETY)["Content-Security-Policy"]
    opened = policy.replace("form-action 'none'", f"form-action 'self' {target.scheme}://{target.netloc}")
    safety = tuple((name, opened if name == "Content-Security-Policy" else value) for name, value in look.SAFETY)
    return Answer(answer.status, answer.body, answer.content_type, safety)


def _box(name: str, value: str, words: str) -> str:
    shown = f" <code>{escape(value)}</code>" if name == "scope" else ""
    return (
        f'<p><label><input type="checkbox" name="{name}" value="{escape(value)}" checked> {escape(words)}</label>'
        f"{shown}</p>"
    )
