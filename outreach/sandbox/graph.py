"""The Graph API side of the sandbox: admits a call, carries it out, answers or goes wrong, and keeps the journal."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from . import business, following, insights, publish, reading, scraping, videos
from .answers import Answer, graph_json
from .bodies import Params, read_params
from .call_table import strays, watchers
from .calls import OLDEST_VERSION, Call, Done, name_op, split_version
from .clock import Clock
from .error_table import GraphError, error_named
from .faults import Faults
from .graph_headers import entity_tag, graph_headers, refusal_header, usage_header
from .identifiers import trace_id
from .mischief import GraphFault, describe, fault_from_row, spoil
from .oauth import OAuth
from .patience import Patience
from .records import Entry, PublicPost
from .rules import Rules
from .tokens import Token, TokenBook, carried_token
from .web import Request
from .world import World

_SECRET = {
    "access_token",
    "appsecret_proof",
    "appsecret_time",
    "input_token",
    "client_secret",
    "fb_exchange_token",
    "code",
}
_TOKEN_EDGE = ("oauth", "access_token")
_WRITES = {
    "feed": publish.create_post,
    "photos": publish.create_photo,
    "comments": publish.create_comment,
    "edit": publish.edit_post,
    "delete": publish.delete_object,
    "subscribed_apps": following.subscribe,
    "unsubscribe": following.unsubscribe,
    "scrape": scraping.scrape,
    "videos": videos.upload_video,
    "captions": videos.add_captions,
}
_READS = {
    "read": reading.read_object,
    "read_ids": reading.read_several,
    "me": reading.read_me,
    "insights": insights.read_insights,
    "subscribed_apps": following.list_apps,
    "accounts": business.read_accounts,
    "permissions": business.read_permissions,
    "businesses": business.read_businesses,
    "owned_pages": business.read_owned,
    "client_pages": business.read_owned,
}


@dataclass
class _Visit:
    """What is known about a request so far; filled step by step, written to the journal at the end."""

    at: datetime
    request: Request
    method: str
    version: str = OLDEST_VERSION
    segments: tuple[str, ...] = ()
    params: Params = field(default_factory=lambda: Params({}))
    op: str = "unknown"
    token: Token | None = None
    done: Done | None = None
    refusal: GraphError | None = None


class Graph:
    """Facebook as far as a publishing client sees it."""

    world: World

    def __init__(self, world: World, tokens: TokenBook, patience: Patience) -> None:
        self.world, self.tokens = world, tokens
        world.book = tokens
        self.oauth = OAuth(world, tokens)
        self.journal: list[Entry] = []
        self.strays: list[str] = []
        self._patience = patience
        self._faults: Faults[GraphFault] = Faults()
        self._blocks: dict[str, tuple[datetime, float, str]] = {}
        self._calls = 0

    @property
    def clock(self) -> Clock:
        """The sandbox's time: `now()`, `advance(seconds)`."""
        return self.world.clock

    @property
    def rules(self) -> Rules:
        """Switches; assign to their attributes."""
        return self.world.rules

    def public_posts(self, page_id: str | None = None) -> list[PublicPost]:
        """Return what the public sees on a Page (of all Pages without `page_id`), oldest first."""
        with self.world.lock:
            self.world.settle()
            pages = list(self.world.pages) if page_id is None else [page_id]
            posts = sorted((post for page in pages for post in self.world.public(page)), key=lambda post: post.rank)
            return [self.world.public_post(post) for post in posts]

    def fail(self, op: str = "feed", how: str = "write-500-2", *, times: int | None = 1, after: int = 0,
             write: bool | None = None, **details: Any) -> None:  # fmt: skip
        """Arm a fault for the next `times` calls of `op` (`None`: all), once `after` of them passed untouched.

        `op`: a name of `calls.name_op`, or `*`; `method="POST"` and `path="/feed"` (a pattern for the end of the path)
        narrow it. `how`, with or without `write-` in front:

        - `500-2`, `500-1`, `html-502`, `empty-200`, `success-200` (no id), `truncated`, `drip` (`seconds` between
          pieces), `close` (FIN), `reset` (RST), `hang` (`seconds`, or until `release`): the call is carried out first;
          with `write=False` it is not.
        - `delay` (`seconds`), `gzip`: the answer is good. With `write=False` it names an id that does not exist.
        - `error`: `code`, `subcode`, `status`, `message`, `type`, `is_transient`, `error_user_title`,
          `error_user_msg`, `error_data`, `fbtrace_id=False`; not carried out unless `write=True`. `redirect`
          (`location`) likewise.
        - for lists: `empty-list`, `lagging-list` (without its `newest` entries), `failing-list` (an `error`).

        `headers={…}` adds or replaces headers of any of them, `Date` too. Raises `ValueError` for an unknown `op` or `how`.
        """
        self._faults.arm(GraphFault(op, how, write=write, **details), times=times, after=after)

    def fail_with(self, name: str, op: str = "feed", *, times: int | None = 1, after: int = 0) -> None:
        """Arm one row of the error table, such as `190_463`; raises `KeyError` for an unknown name."""
        self._faults.arm(fault_from_row(name, op), times=times, after=after)

    def block(self, page_id: str, seconds: float, name: str = "368_1390008") -> None:
        """Refuse every write on a Page for a while of the sandbox clock; each attempt meanwhile starts it anew."""
        self._blocks[page_id] = (self.clock.now() + timedelta(seconds=seconds), seconds, name)

    def release(self) -> None:
        """Let every hanging or delayed answer go on now."""
        self._patience.release()

    def reset(self) -> None:
        """Forget posts, journal, faults, blocks and usage; tokens and rules stay."""
        with self.world.lock:
            self.world.clear()
            self.journal.clear()
            self.strays.clear()
            self._faults.clear()
            self._blocks.clear()
            self._calls = 0

    def answer(self, request: Request) -> Answer:
        """Handle one HTTP request on the Graph side."""
        with self.world.lock:
            self.world.settle()
            visit = _Visit(self.clock.now(), request, "GET" if request.method == "HEAD" else request.method)
            fault = self._understand(visit)
            if fault is not None and not fault.writes:
                visit.done = Done(_invented(visit))
            elif visit.refusal is None:
                self._carry_out(visit)
            answer = self._compose(visit)
            answer = answer if fault is None else spoil(fault, answer)
            self.journal.append(_entry(visit, answer, fault))
        return answer

    def _understand(self, visit: _Visit) -> GraphFault | None:
        try:
            visit.version, visit.segments = split_version(visit.request.path)
            visit.params = read_params(visit.request)
            visit.token = self.tokens.find(_token_text(visit) or "")
        except GraphError as refusal:
            visit.refusal = refusal
            return None
        if visit.method == "POST" and visit.params.text("method") is not None:
            visit.method = str(visit.params.text("method")).upper()
        visit.op = name_op(visit.method, visit.segments)
        self._watch(visit)
        return self._faults.take(lambda fault: fault.fits(visit.op, visit.method, visit.request.path))

    def _watch(self, visit: _Visit) -> None:
        """Note what of a request is in no reference. It is answered as ever: Facebook, too, lets much pass."""
        if visit.method == "OPTIONS":
            return
        params = visit.params
        for stray in strays(visit.method, visit.segments, params.values, [upload.field for upload in params.files]):
            self.strays.append(stray)
            for tell in watchers if self.rules.strict else ():
                tell(stray)

    def _carry_out(self, visit: _Visit) -> None:
        if visit.method == "OPTIONS":
            return
        try:
            if visit.segments == _TOKEN_EDGE:
                visit.done = self.oauth.token(visit.params)
                return
            visit.token = self._admit(visit)
            call = Call(visit.method, visit.version, visit.segments, visit.params, visit.token, visit.op)
            self._count(call)
            visit.done = self._run(call)
            if visit.done.wrote and visit.params.text("fields") is not None and "id" in visit.done.body:
                visit.done = self._read_back(visit.done, call)
        except GraphError as refusal:
            visit.refusal = refusal

    def _admit(self, visit: _Visit) -> Token:
        token = self.tokens.admit(_token_text(visit), visit.at)
        proof, made_at = visit.params.text("appsecret_proof"), visit.params.text("appsecret_time")
        required = self.rules.require_proof
        self.tokens.check_proof(token, proof, is_required=required, made_at=made_at, now=visit.at)
        return token

    def _run(self, call: Call) -> Done:
        if call.method in {"POST", "DELETE"}:
            write = _WRITES.get(call.op)
            if write is None:
                raise error_named("100_33")
            self._check_block(call)
            return write(self.world, call)
        if call.method != "GET":
            raise error_named("100_33")
        if call.op == "debug_token":
            return reading.inspect_token(self.tokens, self.world, call)
        if call.op == "read" and call.segments[0] in self.world.videos:
            return videos.read_video(self.world, call)
        return _READS.get(call.op, reading.read_list)(self.world, call)

    def _read_back(self, done: Done, call: Call) -> Done:
        # The write stays done when this read fails, as it does at Facebook.
        node = reading.find_node(self.world, done.body["id"], call.token)
        return Done(done.body | reading.shaped(self.world, node, call), wrote=True, post_id=done.post_id)

    def _check_block(self, call: Call) -> None:
        page_id = call.segments[0].partition("_")[0] if call.segments else ""
        until, seconds, name = self._blocks.get(page_id, (None, 0.0, ""))
        if until is not None and self.clock.now() < until:
            self.block(page_id, seconds, name)
            raise error_named(name)

    def _count(self, call: Call) -> None:
        self._calls += 1
        if self._usage()[0] >= 100:
            raise error_named("80001" if call.token.page_id else "4")

    def _usage(self) -> tuple[int, int]:
        """Return the used percentage and the minutes until calls are welcome again."""
        percent = self._calls * 100 // self.rules.call_budget if self.rules.call_budget else 0
        return percent, max(0, percent - 99)

    def _compose(self, visit: _Visit) -> Answer:
        headers = graph_headers(visit.version, visit.at)
        if visit.token is not None:
            headers += (usage_header(visit.token, *self._usage()),)
        if visit.refusal is not None:
            inner = visit.refusal.body() | {"fbtrace_id": trace_id()}
            headers += (refusal_header(visit.refusal.message, visit.refusal.code),)
            return Answer(visit.refusal.status, graph_json({"error": inner}), headers=headers)
        body = graph_json(visit.done.body if visit.done else {})
        return Answer(200, body, headers=(*headers, entity_tag(body)) if visit.method == "GET" else headers)


def _token_text(visit: _Visit) -> str | None:
    return carried_token(visit.request.headers.get("authorization"), visit.params.text("access_token"))


def _invented(visit: _Visit) -> dict[str, Any]:
    if visit.method == "GET":
        return {"data": []}
    return {"id": f"{visit.segments[0] if visit.segments else 0}_122100000000000001"}


def _entry(visit: _Visit, answer: Answer, fault: GraphFault | None) -> Entry:
    done = visit.done or Done({})
    params = {name: value for name, value in visit.params.values.items() if name not in _SECRET}
    params |= {f"file {upload.field}": f"{len(upload.content)} bytes" for upload in visit.params.files}
    answered = answer.ending.value in {"whole", "truncated", "drip"}
    outcome = (
        describe(answer) if visit.refusal is None else f"error {visit.refusal.code}/{visit.refusal.subcode or '-'}"
    )
    if fault is not None:
        outcome = f"{describe(answer)} (fault {fault.how}{f' {fault.code}/{fault.subcode or chr(45)}' if fault.how == 'error' else ''})"
    return Entry(
        visit.at, visit.method, visit.request.path, params, visit.token.kind.value if visit.token else None, visit.op,
        answer.status if answered else None, outcome, done.wrote, done.post_id,
    )  # fmt: skip
