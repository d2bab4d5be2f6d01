"""What people do with posts on the sandbox's Pages: reactions, shares, comments of visitors, and the figures of insights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .records import Post

if TYPE_CHECKING:
    from .world import World

Values = int | Mapping[str, int] | None


class Audience:
    """Everything people did. Tests fill it through `engage`; nothing happens by itself."""

    def __init__(self) -> None:
        self.reactions: dict[str, Counter[str]] = {}
        self.shares: Counter[str] = Counter()
        self.visitors: dict[str, str] = {}
        """Who wrote a comment, by its id; the Page itself wrote all others."""
        self.figures: dict[tuple[str, str], Values] = {}
        """The value of a metric of a Page or post, by (id, metric); `None` means that it is missing from the answer."""

    def reaction_count(self, post_id: str) -> int:
        """Return how many people reacted, in whatever way."""
        return sum(self.reactions.get(post_id, Counter()).values())

    def figure(self, node_id: str, metric: str) -> Values:
        """Return a metric's value, 0 where nobody set one; that of reactions is counted."""
        if (node_id, metric) in self.figures:
            return self.figures[node_id, metric]
        if metric == "post_reactions_by_type_total":
            return dict(self.reactions.get(node_id, Counter()))
        return 0


def engage(world: "World", node: str, *, reactions: Mapping[str, int] | None = None, shares: int = 0,
           comments: Sequence[str] = (), by: str = "A visitor", figures: Mapping[str, Values] | None = None) -> None:  # fmt: skip
    """Let people react to a post, share it and comment on it, and set figures of a post or Page.

    Reactions are added up by kind (`like`, `love` …), `figures` replace. Raises `ValueError` for an unknown id.
    """
    with world.lock:
        post = world.posts.get(node)
        if post is None and node not in world.pages:
            raise ValueError(f"no post and no Page {node!r}")
        audience = world.audience
        for name, value in (figures or {}).items():
            audience.figures[node, name] = value
        if post is None:
            return
        audience.reactions.setdefault(node, Counter()).update(reactions or {})
        audience.shares[node] += shares
        for text in comments:
            _comment(world, post, text, by)


def _comment(world: "World", post: Post, text: str, by: str) -> None:
    comment = world.add_comment(post, text)
    world.audience.visitors[comment.id] = by
