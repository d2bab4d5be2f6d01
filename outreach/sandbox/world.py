"""Everything that exists on the sandbox's Pages, and how time changes it."""

import hashlib
import itertools
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .audience import Audience
from .clock import Clock
from .error_table import error_named
from .identifiers import object_numbers
from .records import Comment, Page, Photo, Post, PostState, PublicPost, User
from .rules import Rules
from .tokens import TokenBook

if TYPE_CHECKING:
    from .videos import Video


class World:
    """Pages and their posts, photos and comments in memory. Hold `lock` around every use."""

    def __init__(self, pages: Iterable[Page], user: User, *, clock: Clock, rules: Rules) -> None:
        self.lock = threading.RLock()
        self.pages = {page.id: page for page in pages}
        self.user = user
        self.clock, self.rules = clock, rules
        self.base_url = ""
        self.app_id = ""
        self.subscribed: dict[str, tuple[str, ...]] = {}
        self.book: TokenBook | None = None
        self._numbers = object_numbers()
        self.clear()

    def clear(self) -> None:
        """Forget every post, photo and comment; ids are not used again."""
        self.posts: dict[str, Post] = {}
        self.photos: dict[str, Photo] = {}
        self.comments: dict[str, Comment] = {}
        self.audience = Audience()
        self.videos: dict[str, Video] = {}
        self._ranks = itertools.count(1)
        self._next_event_at: datetime | None = None

    def next_id(self) -> str:
        """Return an unused object id."""
        return next(self._numbers)

    def next_rank(self) -> int:
        """Return a number larger than all before."""
        return next(self._ranks)

    def add_post(self, page_id: str, *, message: str | None, link: str | None, photo_ids: tuple[str, ...],
                 due_at: datetime | None, is_public: bool) -> Post:  # fmt: skip
        """Create a post; with `due_at` it is scheduled. Its photos are no longer staged."""
        now = self.clock.now()
        state = PostState.SCHEDULED if due_at else PostState.PUBLISHED if is_public else PostState.UNPUBLISHED
        post_id = f"{page_id}_{self.next_id()}"
        post = Post(post_id, page_id, message, link, photo_ids, state, now, now, self.next_rank(), due_at)
        post.is_for_roles_only = self.rules.development_mode
        self.posts[post.id] = post
        for photo_id in photo_ids:
            self.photos[photo_id].post_id = post.id
        self.expect(due_at)
        return post

    def add_photo(self, page_id: str, *, content: bytes, mime: str, caption: str | None, alt: str | None,
                  is_temporary: bool) -> Photo:  # fmt: skip
        """Keep a picture, staged for now."""
        now = self.clock.now()
        digest = hashlib.sha256(content).hexdigest()
        photo = Photo(self.next_id(), page_id, content, mime, caption, alt, digest, now, self.next_rank(), is_temporary)
        self.photos[photo.id] = photo
        self.expect(now + timedelta(seconds=self.rules.staged_photo_lives_s))
        return photo

    def add_comment(self, post: Post, message: str) -> Comment:
        """Write a comment as the Page."""
        comment_id = f"{post.id.partition('_')[2]}_{self.next_id()}"
        comment = Comment(comment_id, post.id, message, self.clock.now(), self.next_rank())
        self.comments[comment.id] = comment
        post.comment_ids.append(comment.id)
        return comment

    def publish(self, post: Post, at: datetime) -> None:
        """Make a post public; lists show it as created then."""
        post.state, post.due_at = PostState.PUBLISHED, None
        post.created_at = post.updated_at = at
        post.rank = self.next_rank()

    def remove_post(self, post: Post) -> None:
        """Delete a post with its photos and comments."""
        del self.posts[post.id]
        for photo_id in post.photo_ids:
            self.photos.pop(photo_id, None)
        for comment_id in post.comment_ids:
            self.comments.pop(comment_id, None)

    def expect(self, at: datetime | None) -> None:
        """Remember that something happens by itself at `at`."""
        if at is not None and (self._next_event_at is None or at < self._next_event_at):
            self._next_event_at = at

    def settle(self) -> None:
        """Do what fell due by the sandbox clock: publish scheduled posts, drop forgotten photos."""
        now = self.clock.now()
        if self._next_event_at is None or self._next_event_at > now:
            return
        due = [post for post in self.posts.values() if post.due_at is not None and post.due_at <= now]
        for post in sorted(due, key=_due_time):
            self._come_due(post)
        for photo in [photo for photo in self.photos.values() if photo.post_id is None]:
            if self._forget_at(photo) <= now:
                del self.photos[photo.id]
        self._plan_next_event()

    def visible(self, post: Post) -> bool:
        """Say whether reads show this post already; a lagging Facebook hides new ones for a while."""
        if not self.rules.lag_s:
            return True
        return post.created_at + timedelta(seconds=self.rules.lag_s) <= self.clock.now()

    def public(self, page_id: str) -> list[Post]:
        """Return what the public sees on a Page, oldest first: nothing that an app in Development mode posted."""
        return [post for post in self.listed(page_id) if not post.is_for_roles_only]

    def listed(self, page_id: str) -> list[Post]:
        """Return what the API lists as published on a Page, oldest first."""
        shown = [
            p
            for p in self.posts.values()
            if p.page_id == page_id and p.state is PostState.PUBLISHED and not p.is_hidden
        ]
        return sorted(shown, key=lambda post: post.rank)

    def public_post(self, post: Post) -> PublicPost:
        """Return the fixed view of a post that tests compare with."""
        pictures = tuple((self.photos[photo_id].alt, self.photos[photo_id].sha256) for photo_id in post.photo_ids)
        video = self.videos[post.video_id].sha256 if post.video_id else None
        return PublicPost(post.id, post.message, post.link, pictures, post.created_at, self.permalink(post), video)

    def permalink(self, post: Post) -> str:
        """Return where a person reads this post."""
        return f"{self.base_url}/page/{post.page_id}/posts/{post.id.partition('_')[2]}"

    def picture_url(self, photo: Photo) -> str:
        """Return where the picture's file is served."""
        return f"{self.base_url}/media/{photo.id}"

    def _come_due(self, post: Post) -> None:
        if post.due_at is None:
            return
        if self.rules.scheduled_posts_fail_silently:
            post.due_at, post.state = None, PostState.UNPUBLISHED
        else:
            self.publish(post, post.due_at)

    def _forget_at(self, photo: Photo) -> datetime:
        return photo.created_at + timedelta(seconds=self.rules.staged_photo_lives_s)

    def _plan_next_event(self) -> None:
        self._next_event_at = None
        for post in self.posts.values():
            self.expect(post.due_at)
        for photo in self.photos.values():
            if photo.post_id is None:
                self.expect(self._forget_at(photo))

    def post_or_refuse(self, node_id: str) -> Post:
        """Return a post that reads may see; raises `GraphError` 100/33 otherwise."""
        post = self.posts.get(node_id)
        if post is None or not self.visible(post):
            raise error_named("100_33")
        return post


def _due_time(post: Post) -> datetime:
    return post.due_at or post.created_at
