"""What of a post's own content would keep it from a Page: its text, and its pictures and its video on the disk."""

from pathlib import Path

from outreach import markup
from outreach.channels import Limits
from outreach.channels import _video as video
from outreach.channels._pictures import check_pictures
from outreach.model import Content, Problem


def lint(content: Content, media: Path, limits: Limits) -> list[Problem]:
    """Name everything that is wrong with it. Asks nobody."""
    problems = check_pictures(content.pictures, media, limits)
    problems += video.problems(content.extras.video, media)
    length = markup.facebook_length(content.text)
    if length > limits.max_chars:
        told = f"The text has {length:,} characters; Facebook takes {limits.max_chars:,}."
        problems.append(Problem(told, "Shorten the letter and add it again."))
    if not content.text.strip() and not content.link:
        problems.append(Problem("The post has neither text nor link.", "Cancel it and add its letter again."))
    return problems
