"""What somebody saw when they decided: a page may stand open for hours, and a decision is about what was on it."""

from dataclasses import dataclass

from outreach.model import BadInput, Post, State


@dataclass(frozen=True, slots=True)
class Seen:
    """How a post stood where somebody decided about it."""

    post: int
    state: State
    attempt: int
    revision: int
    is_paused: bool

    @classmethod
    def of(cls, post: Post, revision: int) -> "Seen":
        """Note how a post stands now, `revision` being the latest of its announcement."""
        return cls(post.id, post.state, post.attempt, revision, post.paused)

    def __str__(self) -> str:
        """As a form carries it."""
        return f"{self.post}:{self.state}:{self.attempt}:{self.revision}:{int(self.is_paused)}"

    @classmethod
    def read(cls, words: str) -> "Seen":
        """Read what `str` wrote. Raises `BadInput`."""
        post, state, *rest = [*words.split(":"), "", ""][:7]
        numbers = [post, *rest[:3]]
        is_whole = words.count(":") == 4 and all(n.isascii() and n.isdecimal() and len(n) < 16 for n in numbers)
        if not is_whole or state not in set(State):
            raise BadInput("The form does not say what it is about.", where="seen", next_step="Open the page again.")
        return cls(int(post), State(state), int(rest[0]), int(rest[1]), rest[2] == "1")


class ChangedSince(BadInput):
    """A post is not any more as it was seen. Nothing was done."""

    def __init__(self, post: Post, seen: Seen, revision: int) -> None:
        what = f"it is {post.state} now"
        if post.state is seen.state:
            what = "somebody changed what it says" if revision != seen.revision else "it was tried again"
            if revision == seen.revision and post.attempt == seen.attempt:
                what = "it is paused now" if post.paused else "it is not paused any more"
        super().__init__(
            f"{post.name} changed since you opened this page: {what}. Nothing was done.",
            where="seen",
            next_step="Look at how it stands now, and decide again if it is still needed.",
        )
