"""Videos on a Page: uploaded in phases, processed for a while of the sandbox clock, then ready to be part of a post."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .calls import Call, Done
from .error_table import GraphError, error_named
from .permissions import page_to_publish_on
from .records import Page
from .world import World

CHUNK_BYTES = 1024 * 1024


@dataclass
class Video:
    """One video; `content` grows with each chunk. Without `post_id` nobody sees it."""

    id: str
    page_id: str
    session: str
    size: int
    created_at: datetime
    content: bytearray = field(default_factory=bytearray)
    title: str | None = None
    captions: dict[str, bytes] = field(default_factory=dict)
    finished_at: datetime | None = None
    post_id: str | None = None

    @property
    def sha256(self) -> str:
        """The hash of what was received."""
        return hashlib.sha256(bytes(self.content)).hexdigest()


def upload_video(world: World, call: Call) -> Done:
    """`POST /{page}/videos` with `upload_phase`: start, transfer, finish."""
    page = page_to_publish_on(world, call)
    match call.params.text("upload_phase"):
        case "start":
            return _start(world, call, page)
        case "transfer":
            return _transfer(world, call, page)
        case "finish":
            return _finish(world, call, page)
    raise GraphError(100, "(#100) The parameter upload_phase is required")


def _start(world: World, call: Call, page: Page) -> Done:
    size = _number(call, "file_size")
    if not 0 < size <= world.rules.max_video_bytes:
        raise GraphError(100, "(#100) The video file you tried to upload is too big or empty")
    video = Video(world.next_id(), page.id, world.next_id(), size, world.clock.now())
    world.videos[video.id] = video
    told = {"video_id": video.id, "upload_session_id": video.session}
    return Done(told | _offsets(video), wrote=True)


def _transfer(world: World, call: Call, page: Page) -> Done:
    video = _of_session(world, call, page)
    if _number(call, "start_offset") != len(video.content) or not call.params.files:
        raise GraphError(100, "(#100) The start offset does not fit what was received", subcode=1363037)
    video.content += call.params.files[0].content
    if len(video.content) > video.size:
        raise GraphError(100, "(#100) More was sent than was announced")
    return Done(_offsets(video), wrote=True)


def _finish(world: World, call: Call, page: Page) -> Done:
    video = _of_session(world, call, page)
    if len(video.content) != video.size:
        raise GraphError(100, "(#100) The upload is not complete")
    video.title = call.params.text("title")
    video.finished_at = video.finished_at or world.clock.now()
    is_public = call.params.flag("published", default=True) or world.rules.videos_ignore_published
    if is_public and video.post_id is None:
        description = call.params.text("description")
        post = world.add_post(page.id, message=description, link=None, photo_ids=(), due_at=None, is_public=True)
        post.video_id, video.post_id = video.id, post.id
    return Done({"success": True}, wrote=True, post_id=video.post_id)


def add_captions(world: World, call: Call) -> Done:
    """`POST /{video}/captions`: one file, named with its language, such as `talk.en_US.srt`."""
    video = find_video(world, call.segments[0], call.token.page_id)
    if not call.params.files or not call.params.files[0].filename.endswith(".srt"):
        raise GraphError(100, "(#100) The captions have to be an .srt file")
    video.captions[call.params.files[0].filename.rsplit(".", 2)[-2]] = call.params.files[0].content
    return Done({"success": True}, wrote=True)


def read_video(world: World, call: Call) -> Done:
    """`GET /{video}?fields=status,post_id,permalink_url`; for a while after the upload it does not exist."""
    video = find_video(world, call.segments[0], call.token.page_id)
    now = world.clock.now()
    if video.finished_at and now < video.finished_at + timedelta(seconds=world.rules.video_lag_s):
        raise error_named("100_33")
    is_ready = video.finished_at is not None and now >= ready_at(world, video)
    status = world.rules.video_verdict if is_ready else "processing" if video.finished_at else "uploading"
    told: dict[str, object] = {"id": video.id, "status": {"video_status": status}}
    if video.post_id:
        told |= {"post_id": video.post_id}
    return Done(told)


def ready_at(world: World, video: Video) -> datetime:
    """Say when it has been processed."""
    return (video.finished_at or world.clock.now()) + timedelta(seconds=world.rules.video_takes_s)


def staged_video(world: World, page: Page, video_id: str) -> Video | None:
    """Give a video that may become part of a post; None where the id is none of a video. Raises `GraphError`."""
    video = world.videos.get(video_id)
    if video is None:
        return None
    if not world.rules.videos_may_be_attached:
        raise GraphError(100, "(#100) A video cannot be attached")
    if video.page_id != page.id or video.post_id is not None or video.finished_at is None:
        raise GraphError(100, f"(#100) The video {video_id} cannot be part of a post")
    return video


def find_video(world: World, video_id: str, page_id: str | None) -> Video:
    """Give a video of the Page of the token; raises `GraphError` 100/33 otherwise."""
    video = world.videos.get(video_id)
    if video is None or video.page_id != page_id:
        raise error_named("100_33")
    return video


def _of_session(world: World, call: Call, page: Page) -> Video:
    session = call.params.text("upload_session_id")
    for video in world.videos.values():
        if video.session == session and video.page_id == page.id:
            return video
    raise GraphError(100, "(#100) The upload session does not exist")


def _number(call: Call, name: str) -> int:
    text = call.params.text(name) or ""
    if not text.isdecimal():
        raise GraphError(100, f"(#100) Param {name} must be a number")
    return int(text)


def _offsets(video: Video) -> dict[str, str]:
    start = len(video.content)
    return {"start_offset": str(start), "end_offset": str(min(start + CHUNK_BYTES, video.size))}
