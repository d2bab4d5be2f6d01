"""Who may do what: kind of token, whose Page it is, scopes and tasks."""

from .calls import Call
from .error_table import GraphError, error_named
from .records import Page
from .tokens import Kind, Token
from .world import World


def page_to_publish_on(world: World, call: Call) -> Page:
    """Return the Page a write names, if this token may publish there; raises `GraphError` otherwise."""
    node = call.segments[0]
    page_id = call.token.page_id if node == "me" else node
    page = world.pages.get(page_id or "")
    if page is None:
        raise error_named("100_33")
    _require_page_token(call.token, page)
    require_scope(call.token, "pages_read_engagement", code=200)
    require_scope(call.token, "pages_manage_posts", code=200)
    if "CREATE_CONTENT" not in world.rules.tasks_by_page.get(page.id, world.rules.tasks):
        raise GraphError(200, "(#200) The task CREATE_CONTENT is missing for this Page")
    return page


def require_scope(token: Token, scope: str, *, code: int) -> None:
    """Raise `GraphError` with `code` (200, 10 or 283) when a token lacks a permission."""
    if token.kind is Kind.APP or scope in token.scopes:
        return
    if code == 10:
        raise GraphError(10, f"(#10) This endpoint requires the '{scope}' permission")
    raise GraphError(
        code,
        f"(#{code}) Requires the {scope} permission; publishing needs both pages_read_engagement and pages_manage_posts",
    )


def _require_page_token(token: Token, page: Page) -> None:
    if token.kind is Kind.APP:
        raise error_named("190_2069032")
    if token.page_id is None:
        raise error_named("200_as_page")
    if token.page_id != page.id:
        raise error_named("200")
