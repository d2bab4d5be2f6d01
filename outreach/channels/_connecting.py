"""Connecting a Page: Facebook's log-in dialog, what its answer is exchanged for, and the Pages that it opens.

A Page token made of a short-lived one ends within hours while everything about it looks right: so the person's token is
always exchanged for a long-lived one first. Outcomes are values: what is asked for, or a `Problem` that says what to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from outreach.channels._graph_answers import GraphError, id_in, next_cursor, redacted
from outreach.channels._graph_errors import Meaning
from outreach.channels._http import Answer, Http, Reply, unlogged
from outreach.channels._offers import MOST_OFFERS, Offer, merged, offers_in
from outreach.channels._page_access import proof_of
from outreach.model import Problem

SCOPES = ("pages_show_list", "pages_read_engagement", "pages_manage_posts")
EXTRA_SCOPES: Mapping[str, str] = {
    "business_management": "The Page belongs to a business portfolio, and is not in the list without this.",
    "pages_manage_engagement": "Comments are written as the Page, such as a first comment below a post.",
    "read_insights": "Figures of how many people a post reached are read.",
    "pages_read_user_content": "What visitors write on the Page is read, for counts of comments.",
    "pages_manage_metadata": "Facebook tells this service at once of changes on the Page (webhooks).",
}
AGAIN = "Press Connect a Page again."
_CODE_TROUBLE = {
    36007: Problem("The log-in on Facebook took too long.", AGAIN),
    36008: Problem(
        "Facebook was told another address to come back to than the one it came back to.",
        "Set OUTREACH_BASE_URL to the address at which people open the page, and enter the same in the app's settings.",
    ),
    36009: Problem("This answer of Facebook was used already.", AGAIN),
}
_MOST_PARTS = 50


@dataclass(frozen=True, slots=True)
class App:
    """The app by which Pages are connected. Its `repr` shows no secret."""

    url: str
    version: str
    app_id: str
    secret: str = field(repr=False)
    timeout_s: float = 30.0

    @property
    def dialog_origin(self) -> str:
        """Where the log-in dialog is: at Facebook's own address, or wherever the Graph API's stand-in is."""
        return "https://www.facebook.com" if self.url == "https://graph.facebook.com" else self.url

    @property
    def token(self) -> str:
        """What speaks for the app itself."""
        return f"{self.app_id}|{self.secret}"

    def proof_for(self, token: str) -> str:
        """What shows that whoever holds the token holds the app's secret, too."""
        return proof_of(self.secret, token)


@dataclass(frozen=True, slots=True)
class Person:
    """Who logged in on Facebook."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a person's token opens: the Pages to choose from, what could not be asked, and what was not ticked."""

    person: Person
    offers: Sequence[Offer]
    declined: frozenset[str] = frozenset()
    notes: Sequence[Problem] = ()


class Login:
    """Speaks with Facebook about one app's log-in. Used by one thread at a time."""

    def __init__(self, app: App) -> None:
        self._app = app

    def dialog(self, *, redirect_uri: str, state: str, scopes: Sequence[str]) -> str:
        """Give the address of Facebook's log-in dialog."""
        asked = {
            "client_id": self._app.app_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": ",".join(scopes),
            "response_type": "code",
            "auth_type": "rerequest",  # else the dialog does not ask again for what was declined once
        }
        return f"{self._app.dialog_origin}/{self._app.version}/dialog/oauth?{urlencode(asked)}"

    def token_for(self, code: str, *, redirect_uri: str) -> str | Problem:
        """Exchange a code for a person's token, and that for a long-lived one."""
        form = {"client_id": self._app.app_id, "client_secret": self._app.secret}
        form |= {"redirect_uri": redirect_uri, "code": code}
        with self._http(None) as http:
            short = self._token_in(http.post("/oauth/access_token", form), (code,))
        return short if isinstance(short, Problem) else self.lengthened(short)

    def lengthened(self, token: str) -> str | Problem:
        """Exchange a person's token for one that lives long. How long, Facebook need not say."""
        asked = {"grant_type": "fb_exchange_token", "client_id": self._app.app_id}
        asked |= {"client_secret": self._app.secret, "fb_exchange_token": token}
        with self._http(None) as http, unlogged():
            return self._token_in(http.get("/oauth/access_token", asked), (token,))

    def found(self, token: str) -> Found | Problem:
        """List the Pages that a person's token opens, those of business portfolios where it may see them."""
        person = self._person(token)
        if isinstance(person, Problem):
            return person
        granted, declined = self._permissions(token)
        own = self._list(token, "/me/accounts", "id,name,access_token,tasks")
        if isinstance(own, Problem):
            return own
        offers, notes = list(offers_in(own)), []
        if "business_management" in granted:
            for each in self._of_portfolios(token):
                notes += [each] if isinstance(each, Problem) else []
                offers += [each] if isinstance(each, Offer) else []
        return Found(person, merged(offers), declined, notes)

    def offer_of(self, token: str, page_id: str) -> Offer | Problem:
        """Ask for one Page alone, as for one that only a portfolio lists."""
        reply = self._get(token, f"/{page_id}", fields="id,name,access_token,tasks")
        body = self._body(reply, (token,))
        if isinstance(body, Problem):
            return body
        return next(offers_in([body]), Problem("Facebook does not know this Page.", "Choose another Page."))

    def facts(self, token: str) -> Any | Problem:
        """Ask what a token is; the body of the answer as it came."""
        asked = {"input_token": token, "appsecret_proof": self._app.proof_for(self._app.token)}
        with self._http(self._app.token) as http:
            return self._body(http.get("/debug_token", asked), (token,))

    def whose(self, token: str) -> Person | Problem:
        """Ask who, or which Page, a token speaks for."""
        return self._person(token)

    # Asking

    def _http(self, token: str | None) -> Http:
        return Http(f"{self._app.url}/{self._app.version}", token=token, timeout_s=self._app.timeout_s)

    def _get(self, token: str, path: str, **params: str) -> Reply:
        with self._http(token) as http:
            return http.get(path, {**params, "appsecret_proof": self._app.proof_for(token)})

    def _person(self, token: str) -> Person | Problem:
        body = self._body(self._get(token, "/me", fields="id,name"), (token,))
        if isinstance(body, Problem):
            return body
        found = id_in(body)
        name = body.get("name")
        if found is None:
            return _not_understood()
        return Person(found, redacted(name, (token,))[:100] if isinstance(name, str) else "")

    def _permissions(self, token: str) -> tuple[frozenset[str], frozenset[str]]:
        """Read what was granted and what declined; an answer that says nothing declines nothing."""
        body = self._body(self._get(token, "/me/permissions"), (token,))
        rows = body.get("data") if isinstance(body, dict) else None
        said = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

        def of(*statuses: str) -> frozenset[str]:
            return frozenset(str(row.get("permission")) for row in said if row.get("status") in statuses)

        return of("granted"), of("declined", "expired")

    def _of_portfolios(self, token: str) -> Iterator[Offer | Problem]:
        businesses = self._list(token, "/me/businesses", "id,name")
        if isinstance(businesses, Problem):
            yield Problem(f"The business portfolios could not be asked. {businesses.message}", is_warning=True)
            return
        for business in businesses:
            number = id_in(business)
            for edge in ("owned_pages", "client_pages") if number else ():
                rows = self._list(token, f"/{number}/{edge}", "id,name,access_token,tasks")
                if isinstance(rows, Problem):
                    yield Problem(f"A business portfolio could not be asked. {rows.message}", is_warning=True)
                else:
                    yield from (self._opened(token, offer) for offer in offers_in(rows))

    def _opened(self, token: str, offer: Offer) -> Offer:
        """A portfolio may list a Page without its token; the Page itself may give it."""
        if offer.token:
            return offer
        asked = self.offer_of(token, offer.id)
        return asked if isinstance(asked, Offer) and asked.token else offer

    def _list(self, token: str, path: str, fields: str) -> list[Any] | Problem:
        """Read a whole list by its cursors; the address of its next part holds the token and is never followed."""
        rows: list[Any] = []
        after = ""
        for _ in range(_MOST_PARTS):
            params = {"fields": fields, "limit": "100"} | ({"after": after} if after else {})
            body = self._body(self._get(token, path, **params), (token,))
            if isinstance(body, Problem):
                return body
            data = body.get("data")
            if not isinstance(data, list):
                return _not_understood()
            rows += data
            follows = next_cursor(body)
            if not follows or follows == after or len(rows) >= MOST_OFFERS:
                break
            after = follows
        return rows

    # Reading answers

    def _token_in(self, reply: Reply, secrets: tuple[str, ...]) -> str | Problem:
        body = self._body(reply, secrets)
        if isinstance(body, Problem):
            return body
        token = body.get("access_token")
        return token if isinstance(token, str) and token.isprintable() and token.strip() else _not_understood()

    def _body(self, reply: Reply, secrets: tuple[str, ...]) -> dict[str, Any] | Problem:
        if not isinstance(reply, Answer):
            return Problem(f"Facebook could not be reached: {reply.reason}.", "Check the network, then try again.")
        body = reply.json()
        if reply.status != 200 or (isinstance(body, dict) and "error" in body):
            return self._refused(reply, secrets)
        return body if isinstance(body, dict) else _not_understood()

    def _refused(self, reply: Answer, secrets: tuple[str, ...]) -> Problem:
        app = self._app
        known = (*secrets, app.secret, *(app.proof_for(each) for each in (*secrets, app.token)))
        error = GraphError.from_answer(reply, page_id="", secrets=known)
        if error.code == 100 and error.subcode in _CODE_TROUBLE:
            return _CODE_TROUBLE[error.subcode]
        if "client secret" in error.said or error.code in (101, 104):
            step = "Check FACEBOOK_APP_ID and FACEBOOK_APP_SECRET against the app's Basic settings on Facebook."
            return Problem(f"Facebook does not know the app by this number and secret. (Facebook: {error.said})", step)
        if error.row.meaning in (Meaning.RATE_LIMIT, Meaning.BLOCKED):
            return Problem(f"Facebook lets nothing through now: {error.sentence()}", "Try again later.")
        if error.row.meaning is Meaning.REAUTH:
            return Problem(f"Facebook does not accept the log-in any more. (Facebook: {error.said})", AGAIN)
        said = f" (Facebook: {error.said})" if error.said else ""
        return Problem(f"Facebook refused, with status {reply.status}.{said}", f"{AGAIN} If it stays so, look later.")


def _not_understood() -> Problem:
    return Problem("Facebook's answer cannot be understood.", "Try again in a few minutes.")
