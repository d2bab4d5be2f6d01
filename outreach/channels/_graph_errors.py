"""What each error of the Graph API means for a post: data, matched on parsed integers, never on text of the raw body."""

from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What an error says of a write."""

    REJECTED = "rejected"
    RATE_LIMIT = "rate limit"
    LATER = "later"
    REAUTH = "log in again"
    FORBIDDEN = "not allowed"
    BLOCKED = "blocked"
    CONFIG = "set up wrongly"
    DUPLICATE = "already there"
    AMBIGUOUS = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One error: `subcode` None stands for any or none. `wait_s` is used where the answer names no time of its own."""

    code: int
    subcode: int | None
    meaning: Meaning
    sentence: str
    wait_s: int | None = None


_HOUR = 3600
_DAY = 86400
_M = Meaning
_RECONNECT = "Connect the Page again with a new token."

ROWS: tuple[Row, ...] = (
    Row(1, 2853006, _M.FORBIDDEN, "The app has no permission for this. " + _RECONNECT),
    Row(1, None, _M.AMBIGUOUS, "Facebook had an unknown error; the post may be out."),
    Row(2, None, _M.AMBIGUOUS, "Facebook had a passing error; the post may be out."),
    Row(3, None, _M.FORBIDDEN, "The app lacks the capability to publish on Pages."),
    Row(4, None, _M.RATE_LIMIT, "Facebook's limit for the app is reached.", _HOUR),
    Row(5, None, _M.CONFIG, "Facebook does not accept calls from this network address; see the app's settings."),
    Row(10, None, _M.FORBIDDEN, "A permission was not granted, was removed, or lapsed after 90 days. " + _RECONNECT),
    Row(12, None, _M.CONFIG, "This version of the Graph API is gone. Set FACEBOOK_GRAPH_VERSION to a current one."),
    Row(17, None, _M.RATE_LIMIT, "Facebook's limit for the person behind the token is reached.", _HOUR),
    Row(20, 1772107, _M.AMBIGUOUS, "Facebook could not format its answer; the post may be out."),
    Row(20, None, _M.AMBIGUOUS, "Facebook could not format its answer; the post may be out."),
    Row(21, None, _M.CONFIG, "The Page has moved to another number. Set FACEBOOK_PAGE_ID to it."),
    Row(32, None, _M.RATE_LIMIT, "Facebook's limit for the Page is reached.", _HOUR),
    Row(33, None, _M.CONFIG, "Facebook does not know this Page, or the token may not see it. Check FACEBOOK_PAGE_ID."),
    Row(100, 33, _M.CONFIG, "Facebook does not know this Page, or the token may not see it. Check FACEBOOK_PAGE_ID."),
    Row(100, None, _M.REJECTED, "Facebook does not accept a part of the post."),
    Row(102, None, _M.REAUTH, "The session behind the token has ended. " + _RECONNECT),
    Row(104, None, _M.CONFIG, "The proof or token was missing or wrong. Check FACEBOOK_APP_SECRET."),
    Row(110, None, _M.CONFIG, "Facebook does not know the user behind this. Check FACEBOOK_PAGE_ID."),
    Row(190, 458, _M.REAUTH, "The person who connected the Page removed the app. " + _RECONNECT),
    Row(190, 459, _M.REAUTH, "Facebook wants the person who connected the Page to log in on facebook.com first."),
    Row(190, 460, _M.REAUTH, "The person who connected the Page changed their password. " + _RECONNECT),
    Row(190, 461, _M.REAUTH, "The session behind the token was ended. " + _RECONNECT),
    Row(190, 463, _M.REAUTH, "The token has expired. " + _RECONNECT),
    Row(190, 464, _M.REAUTH, "The person who connected the Page has to confirm their account on facebook.com first."),
    Row(190, 467, _M.REAUTH, "The token is not valid any more. " + _RECONNECT),
    Row(190, 492, _M.FORBIDDEN, "The person who connected the Page has no role on it now, or needs two-factor log-in."),
    Row(190, 2069032, _M.CONFIG, "This is not a Page token. Set FACEBOOK_PAGE_TOKEN to the token of the Page."),
    Row(190, None, _M.REAUTH, "Facebook does not accept the token. " + _RECONNECT),
    Row(200, 2069030, _M.CONFIG, "This kind of Page does not support what was asked."),
    Row(200, 2069031, _M.CONFIG, "This kind of Page does not support what was asked."),
    Row(200, 2069033, _M.CONFIG, "This kind of Page does not support what was asked."),
    *(
        Row(code, None, _M.FORBIDDEN, "The token lacks a permission for this Page. " + _RECONNECT)
        for code in range(200, 300)
        if code not in (210, 220, 240)
    ),
    Row(210, None, _M.CONFIG, "The user is not visible to the app. Check FACEBOOK_PAGE_ID."),
    Row(220, None, _M.CONFIG, "The album is not visible to the app."),
    Row(
        240, None, _M.CONFIG, "The token does not belong to this Page. Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN."
    ),
    Row(324, None, _M.REJECTED, "Facebook finds a picture missing or unreadable."),
    Row(341, None, _M.RATE_LIMIT, "Facebook's limit for posts of the app is reached.", 3 * _HOUR),
    Row(368, 1390008, _M.BLOCKED, "Facebook finds the Page posts too fast.", 3 * _DAY),
    Row(368, 1404006, _M.BLOCKED, "Facebook wants a security check. Log in on facebook.com and pass it."),
    Row(368, 1404078, _M.BLOCKED, "Facebook wants the Page Publishing Authorization completed on facebook.com."),
    Row(368, 4854002, _M.BLOCKED, "Facebook wants an identity confirmed in its phone app."),
    Row(368, 1404112, _M.BLOCKED, "Facebook has limited the account for some days.", 3 * _DAY),
    Row(368, 1404082, _M.DUPLICATE, "Facebook says this was posted already."),
    Row(368, 1404102, _M.REJECTED, "Facebook finds that the text goes against its community standards."),
    Row(368, 1346003, _M.REJECTED, "Facebook finds the text abusive."),
    Row(368, None, _M.BLOCKED, "Facebook has blocked the Page from posting.", _DAY),
    Row(506, None, _M.DUPLICATE, "Facebook says the Page's latest post has the same text."),
    Row(613, None, _M.RATE_LIMIT, "Facebook's limit for this kind of call is reached.", _HOUR),
    Row(803, None, _M.CONFIG, "Facebook does not know this Page. FACEBOOK_PAGE_ID has to be its number."),
    Row(1500, None, _M.REJECTED, "Facebook does not accept the link."),
    Row(
        1705, None, _M.CONFIG, "The post was made as a person, not as the Page. Set FACEBOOK_PAGE_TOKEN to the Page's."
    ),
    Row(2635, None, _M.CONFIG, "This version of the Graph API is gone. Set FACEBOOK_GRAPH_VERSION to a current one."),
    Row(3001, None, _M.CONFIG, "The call was made for figures, not for a post. This is a mistake of the service."),
    *(
        Row(code, None, _M.AMBIGUOUS, "Facebook had an error that is described in different ways; the post may be out.")
        for code in (1349125, 1363047, 1609010)
    ),
    Row(1366046, None, _M.REJECTED, "Facebook does not accept the picture: too large, or not a picture it knows."),
    Row(1366051, None, _M.DUPLICATE, "Facebook says these pictures were posted already."),
    Row(1609005, None, _M.LATER, "Facebook could not read the page behind the link.", 60),
    Row(1609008, None, _M.REJECTED, "Facebook does not accept this link (a link to facebook.com, or badly formed)."),
    Row(2061006, None, _M.REJECTED, "Facebook does not accept the link."),
    *(
        Row(code, None, _M.RATE_LIMIT, "Facebook's limit for the Page is reached.", _HOUR)
        for code in range(80000, 80015)
    ),
)

_BY_NUMBERS = {(row.code, row.subcode): row for row in ROWS}
_UNKNOWN = "Facebook answered with an error that is not known here; the post may be out."


_EITHER_PLACE = 1_000_000  # numbers from here on were seen as codes and, with code 100 or 1, as subcodes


def look_up(code: int | None, subcode: int | None) -> Row:
    """Give the row for a code and subcode; an unknown code means that nothing is known of the post."""
    if code is None:
        return Row(0, None, Meaning.AMBIGUOUS, _UNKNOWN)
    row = _BY_NUMBERS.get((code, subcode))
    if row is None and subcode is not None and subcode >= _EITHER_PLACE:
        row = _BY_NUMBERS.get((subcode, None))
    return row or _BY_NUMBERS.get((code, None)) or Row(code, subcode, Meaning.AMBIGUOUS, _UNKNOWN)
