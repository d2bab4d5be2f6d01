"""Advice: what may be unwise about an announcement, in plain sentences with a next step. Rules alone; nothing is refused here."""

from outreach.advice.counsel import Advice, Kind
from outreach.advice.fold import fold, on_fold
from outreach.advice.likeness import ALIKE, likeness
from outreach.advice.neighbours import Neighbour, on_neighbours
from outreach.advice.texts import on_link, on_pictures, on_subject, on_text, suggested_hashtag
from outreach.advice.times import Dates, Planned, holiday_on, on_dates, on_time

__all__ = [
    "ALIKE",
    "Advice",
    "Dates",
    "Kind",
    "Neighbour",
    "Planned",
    "fold",
    "holiday_on",
    "likeness",
    "on_dates",
    "on_fold",
    "on_link",
    "on_neighbours",
    "on_pictures",
    "on_subject",
    "on_text",
    "on_time",
    "suggested_hashtag",
]
