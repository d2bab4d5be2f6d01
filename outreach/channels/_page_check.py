"""What would keep any post from the Page now: asked of Facebook with reads alone."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from outreach.channels._graph_answers import GraphError, id_in, redacted
from outreach.channels._graph_errors import Meaning
from outreach.channels._graph_versions import problems_of_version
from outreach.channels._http import Answer, Http, Reply
from outreach.channels._token_facts import TokenFacts, Wanted, not_asked, not_understood, problems_of_tasks
from outreach.model import Problem

if TYPE_CHECKING:
    from outreach.channels.facebook_page import Access

MOST_APART = timedelta(minutes=10)
_OTHER_PAGE = Problem("The token does not belong to this Page.", "Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.")


class PageCheck:
    """Asks about one Page's token. `runs_out` says what runs out when, as far as the latest answer told."""

    def __init__(
        self,
        access: "Access",
        *,
        get: Callable[..., Reply],
        error: Callable[[Answer], GraphError],
        now: Callable[[], datetime],
    ) -> None:
        self._access = access
        self._get = get
        self._error = error
        self._now = now
        self.runs_out: Mapping[str, datetime] = {}
        self.scopes: frozenset[str] | None = None

    def problems(self) -> list[Problem]:
        """Ask, and name everything that is wrong. An answer that tells nothing is a problem, too."""
        reply = self._get("/me", fields="id,name")
        if not isinstance(reply, Answer):
            return [
                Problem(f"Facebook could not be reached: {reply.reason}.", "Check the network and FACEBOOK_GRAPH_URL.")
            ]
        if reply.status != 200:
            return [self._refusal(reply)]
        whose = id_in(reply.json())
        if whose is None:
            return [not_understood()]
        return [*self._of_token(whose), *self._of_version(reply), *self._of_time(reply)]

    def _refusal(self, reply: Answer) -> Problem:
        error = self._error(reply)
        match error.row.meaning:
            case Meaning.REAUTH | Meaning.FORBIDDEN | Meaning.CONFIG:
                return Problem(f"Facebook does not accept the token: {error.what_is_wrong()}", error.row.next_step)
            case Meaning.RATE_LIMIT | Meaning.BLOCKED:
                return Problem(f"Facebook lets nothing through now: {error.what_is_wrong()}", error.row.next_step)
        return not_asked(f"it answered with status {reply.status}.")

    def _of_token(self, whose: str) -> list[Problem]:
        found = self._of_facts() if self._access.app_token else []
        if whose == self._access.page_id:
            return found + self._of_tasks()
        return [_OTHER_PAGE] if all(problem.is_warning for problem in found) else found

    def _of_facts(self) -> list[Problem]:
        access, app = self._access, self._access.app_token
        # The API takes the token in question as a query parameter alone; _http keeps that out of every log.
        asked = {"input_token": access.token, "appsecret_proof": access.proof_for(app)}
        with Http(f"{access.url}/{access.version}", token=app, timeout_s=access.timeout_s) as http:
            reply = http.get("/debug_token", asked)
        if not isinstance(reply, Answer):
            return [not_asked(f"{reply.reason}.")]
        if reply.status != 200:
            return [not_asked(self._error(reply).said or f"it answered with status {reply.status}.")]
        facts = TokenFacts.read(reply.json(), page_id=access.page_id)
        if facts is None:
            return [not_understood()]
        self.runs_out = facts.runs_out()
        self.scopes = None if facts.scopes is None else facts.scopes - facts.elsewhere
        return facts.problems(Wanted(access.page_id, access.app_id), now=self._now())

    def _of_tasks(self) -> list[Problem]:
        """Not every token may read them, so that no answer says nothing."""
        reply = self._get(f"/{self._access.page_id}", fields="tasks")
        return problems_of_tasks(reply.json()) if isinstance(reply, Answer) and reply.status == 200 else []

    def _of_version(self, answer: Answer) -> list[Problem]:
        secrets = (self._access.token, self._access.app_secret)
        served = redacted(answer.headers.get("facebook-api-version", ""), secrets)[:20]
        if not served or served == self._access.version:
            return list(problems_of_version(self._access.version, now=self._now()))
        told = f"Facebook answers with version {served}, not {self._access.version}."
        return [Problem(told, "Set FACEBOOK_GRAPH_VERSION to a current one.", is_warning=True)]

    def _of_time(self, answer: Answer) -> list[Problem]:
        theirs = answer.date()
        ahead = self._now() - theirs if theirs else timedelta(0)
        if abs(ahead) <= MOST_APART:
            return []
        told = f"{abs(ahead) // timedelta(minutes=1)} minutes {'ahead of' if ahead > timedelta(0) else 'behind'}"
        return [Problem(f"The clock of this machine is {told} Facebook's.", "Set the clock of this machine (NTP).")]
