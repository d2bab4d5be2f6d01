"""A Facebook and a list server to try the service on, over real HTTP and SMTP, without publishing anything.

It shares no code with the rest of the project, so that passing against it means something.
"""

from .box import Sandbox
from .clock import Clock
from .letters import Mail
from .post_office import Held, Submission
from .records import Entry, Page, PublicPost

__all__ = ["Clock", "Entry", "Held", "Mail", "Page", "PublicPost", "Sandbox", "Submission"]
