"""Outreach: announcements to a Facebook Page and a listserv, once, on time, exactly as approved."""

__version__ = "0.1.0"
