"""Letting Facebook tell of a Page's posts: the list of what it tells is read first, since a new one takes its place."""

from collections.abc import Callable, Mapping
from typing import Any

from outreach.channels._graph_answers import GraphError
from outreach.channels._http import Answer, Reply
from outreach.model import BadInput

FIELD = "feed"


class PageFollowing:
    """The subscription of our app to one Page."""

    def __init__(
        self,
        ids: tuple[str, str],
        *,
        get: Callable[..., Reply],
        post: Callable[[str, Mapping[str, str]], Reply],
        error: Callable[[Answer], GraphError],
    ) -> None:
        self._page_id, self._app_id = ids
        self._get, self._post, self._error = get, post, error

    def follow(self) -> tuple[str, ...]:
        """See to it that posts are told of, and keep whatever else is told. Raises `BadInput` where that is not possible."""
        fields = self._fields()
        if FIELD in fields:
            return fields
        wanted = (*fields, FIELD)
        body = self._read(self._post("subscribed_apps", {"subscribed_fields": ",".join(wanted)}))
        if str(body.get("success")).lower() != "true":
            raise BadInput("Facebook did not say that it follows the Page.", next_step="Try it again in a minute.")
        return wanted

    def _fields(self) -> tuple[str, ...]:
        apps = self._read(self._get(f"/{self._page_id}/subscribed_apps")).get("data")
        listed = [app for app in apps if isinstance(app, dict)] if isinstance(apps, list) else []
        ours = [app for app in listed if not self._app_id or str(app.get("id")) == self._app_id]
        if len(ours) > 1:
            step = "Set FACEBOOK_APP_ID to the number of your app, so that no other's list is taken for it."
            raise BadInput("Several apps follow this Page.", where="FACEBOOK_APP_ID", next_step=step)
        fields = ours[0].get("subscribed_fields") if ours else []
        return tuple(str(name) for name in fields if isinstance(name, str)) if isinstance(fields, list) else ()

    def _read(self, reply: Reply) -> dict[str, Any]:
        if not isinstance(reply, Answer):
            raise BadInput(f"Facebook could not be reached: {reply.reason}.", next_step="Try it again in a minute.")
        body = reply.json()
        if reply.status == 200 and isinstance(body, dict) and "error" not in body:
            return body
        error = self._error(reply)
        if error.code is not None and (error.code == 10 or 200 <= error.code < 300):
            step = "Connect the Page again with the permission pages_manage_metadata."
            raise BadInput("The token may not say what Facebook tells of the Page.", next_step=step)
        said = error.said or f"Status {error.status}."
        step = error.row.next_step or "Try it again in a few minutes, or check the channel."
        raise BadInput(f"Facebook did not take it. {said}", next_step=step)
