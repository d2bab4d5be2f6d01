"""What each error of the Graph API means for a post: data. Found by the numbers of the parsed answer, and where Facebook
gives one number to several troubles, by a documented phrase of its parsed `message`; never by text of the raw body.
"""

from collections.abc import Iterator
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
    NO_DATA = "no figures"


@dataclass(frozen=True, slots=True)
class Row:
    """One error: `subcode` None stands for any or none, `phrase` (in small letters) for what its message has to hold.

    `wait_s` is used where the answer names no time of its own. `status` is the HTTP status it comes with where that is
    not 400; it decides nothing: a 5xx leaves a post in doubt whatever its body says.
    """

    code: int
    subcode: int | None
    meaning: Meaning
    sentence: str
    next_step: str
    wait_s: int | None = None
    phrase: str = ""
    status: int | None = None

    @property
    def reason(self) -> str:
        """Say what is wrong and what to do about it, as people read it."""
        return f"{self.sentence} {self.next_step}"


_HOUR = 3600
_DAY = 86400
_M = Meaning

RECONNECT = "Connect the Page again with a new token."
_LOOKS = "The service looks on the Page before anything is sent again."
_WAITS = "Nothing is to be done: what is due goes out by itself afterwards."
_THEN_RESUME = "Then resume the channel."
_CHANGE = "Change the announcement and queue it again."
_PAGE_ID = "Check FACEBOOK_PAGE_ID."
_AS_THE_PAGE = "Set FACEBOOK_PAGE_TOKEN to the token of the Page itself."
_VERSION = "Set FACEBOOK_GRAPH_VERSION to a current one."
_PERMISSION = "Let whoever connected the Page allow the app pages_manage_posts and pages_read_engagement for this Page."
_HOLD_STILL = "Send nothing before then: each try makes it longer. What is due goes out by itself afterwards."
_REPORT = "This is a mistake of the service: report it with the code."
_NO_HURRY = "Nothing is to be done: figures come later, or not at all for a small Page."

_OF_THE_SERVICE = (
    Row(1, 2853006, _M.FORBIDDEN, "The app has no permission for this.", RECONNECT),
    Row(1, None, _M.AMBIGUOUS, "Facebook had an unknown error; the post may be out.", _LOOKS, status=500),
    Row(2, None, _M.AMBIGUOUS, "Facebook had a passing error; the post may be out.", _LOOKS, status=500),
    Row(
        3, None, _M.FORBIDDEN, "The app lacks the capability to publish on Pages.",
        "Add the use case for Pages to the app on developers.facebook.com.",
    ),
    Row(
        5, None, _M.CONFIG, "Facebook does not accept calls from this network address.",
        "Add the address to the app's settings, or empty the list of allowed ones there.",
    ),
    Row(12, None, _M.CONFIG, "This version of the Graph API is gone.", _VERSION),
    Row(2635, None, _M.CONFIG, "This version of the Graph API is gone.", _VERSION),
    Row(20, 1772107, _M.AMBIGUOUS, "Facebook could not format its answer; the post may be out.", _LOOKS),
    Row(20, None, _M.AMBIGUOUS, "Facebook could not format its answer; the post may be out.", _LOOKS),
    Row(2500, None, _M.CONFIG, "Facebook does not understand the address of the call.", _VERSION),
    Row(2500, None, _M.CONFIG, "The call went out without a token.", _AS_THE_PAGE, phrase="active access token"),
    *(
        Row(code, None, _M.AMBIGUOUS, "Facebook had an error that is described in different ways; the post may be out.", _LOOKS)
        for code in (1349125, 1363047, 1609010)
    ),
)  # fmt: skip

_LIMITS = (
    Row(4, None, _M.RATE_LIMIT, "Facebook's limit for the app is reached.", _WAITS, _HOUR, status=403),
    Row(4, 2207051, _M.RATE_LIMIT, "Facebook's limit for the app is reached.", _WAITS, _HOUR, status=403),
    Row(17, None, _M.RATE_LIMIT, "Facebook's limit for the person behind the token is reached.", _WAITS, _HOUR),
    Row(32, None, _M.RATE_LIMIT, "Facebook's limit for the Page is reached.", _WAITS, _HOUR),
    Row(341, None, _M.RATE_LIMIT, "Facebook's limit for posts of the app is reached.", _WAITS, 3 * _HOUR),
    Row(613, None, _M.RATE_LIMIT, "Facebook's limit for this kind of call is reached.", _WAITS, _HOUR),
    *(
        Row(code, None, _M.RATE_LIMIT, "Facebook's limit for the Page is reached.", _WAITS, _HOUR)
        for code in range(80000, 80015)
    ),
)

_TOKENS = (
    Row(101, None, _M.CONFIG, "Facebook does not know the app.", "Check FACEBOOK_APP_ID and FACEBOOK_APP_SECRET."),
    Row(102, None, _M.REAUTH, "The session behind the token has ended.", RECONNECT),
    Row(104, None, _M.CONFIG, "The proof or token was missing or wrong.", "Check FACEBOOK_APP_SECRET."),
    Row(190, 458, _M.REAUTH, "The person who connected the Page removed the app.", RECONNECT),
    Row(
        190, 459, _M.REAUTH, "Facebook wants the person who connected the Page to log in on facebook.com first.",
        f"Ask them to do so and to pass what it asks. {RECONNECT}",
    ),
    Row(190, 460, _M.REAUTH, "The person who connected the Page changed their password.", RECONNECT),
    Row(190, 461, _M.REAUTH, "The session behind the token was ended.", RECONNECT),
    Row(190, 463, _M.REAUTH, "The token has expired.", RECONNECT),
    Row(
        190, 464, _M.REAUTH, "The person who connected the Page has to confirm their account on facebook.com first.",
        f"Ask them to do so. {RECONNECT}",
    ),
    Row(190, 467, _M.REAUTH, "The token is not valid any more.", RECONNECT),
    Row(
        190, 492, _M.FORBIDDEN, "The person who connected the Page has no role on it now, or needs two-factor log-in.",
        "Give them a role on the Page again, or let them switch two-factor log-in on: a new token alone does not help.",
    ),
    Row(190, 2069032, _M.CONFIG, "This is not a Page token.", _AS_THE_PAGE),
    Row(
        190, None, _M.FORBIDDEN, "The token lacks a permission for this very Page: to log in again alone does not help.",
        _PERMISSION, phrase="impersonating a user's page",
    ),
    Row(
        190, None, _M.REAUTH, "Facebook cannot read the token.",
        "Copy it again, whole and without blanks, into FACEBOOK_PAGE_TOKEN.", phrase="cannot parse access token",
    ),
    Row(190, None, _M.REAUTH, "Facebook does not accept the token.", RECONNECT),
)  # fmt: skip

_PERMISSIONS = (
    Row(10, None, _M.FORBIDDEN, "A permission was not granted, was removed, or lapsed after 90 days.", RECONNECT),
    Row(
        25, 2207050, _M.BLOCKED, "Facebook has restricted the account.",
        f"Log in on facebook.com and see what it asks for. {_THEN_RESUME}",
    ),
    Row(
        25, None, _M.BLOCKED, "Facebook has restricted the account.",
        f"Log in on facebook.com and see what it asks for. {_THEN_RESUME}",
    ),
    Row(
        200, None, _M.CONFIG, "The post was made as a person, not as the Page.", _AS_THE_PAGE,
        phrase="posted to a page as the page itself",
    ),
    Row(200, 1376025, _M.FORBIDDEN, "The token lacks a permission for this Page.", RECONNECT, status=403),
    *(
        Row(
            200, subcode, _M.CONFIG, f"This kind of Page does not support {what}.",
            "Look on facebook.com whether the Page is one of the new kind.",
        )
        for subcode, what in ((2069030, "this call"), (2069031, "a field that was asked for"), (2069033, "what was asked"))
    ),
    *(
        Row(code, None, _M.FORBIDDEN, "The token lacks a permission for this Page.", RECONNECT)
        for code in range(200, 300)
        if code not in (210, 220, 240)
    ),
)  # fmt: skip

_UNKNOWN_PAGE = "Facebook does not know this Page, or the token may not see it."
_OBJECTS = (
    Row(21, None, _M.CONFIG, "The Page has moved to another number.", "Set FACEBOOK_PAGE_ID to it."),
    Row(33, None, _M.CONFIG, _UNKNOWN_PAGE, _PAGE_ID),
    Row(100, 33, _M.CONFIG, _UNKNOWN_PAGE, _PAGE_ID),
    Row(110, None, _M.CONFIG, "Facebook does not know the user behind this.", _PAGE_ID),
    Row(210, None, _M.CONFIG, "The user is not visible to the app.", _PAGE_ID),
    Row(220, None, _M.CONFIG, "The album is not visible to the app.", RECONNECT),
    Row(
        240, None, _M.CONFIG, "The token does not belong to this Page.",
        "Check FACEBOOK_PAGE_ID and FACEBOOK_PAGE_TOKEN.",
    ),
    Row(803, None, _M.CONFIG, "Facebook does not know this Page.", "Set FACEBOOK_PAGE_ID to the Page's number."),
    Row(1705, None, _M.CONFIG, "The post was made as a person, not as the Page.", _AS_THE_PAGE),
)  # fmt: skip

_PARAMETERS = (
    Row(100, None, _M.REJECTED, "Facebook does not accept a part of the post.", _CHANGE),
    Row(
        100, None, _M.REJECTED, "Facebook does not accept the time for which the post is to be scheduled.",
        "Choose one between 10 minutes and 28 days from now.", phrase="scheduled publish time",
    ),
    Row(
        100, None, _M.REJECTED, "Facebook finds the text too long.", "Shorten it and queue it again.",
        phrase="parameter too long",
    ),
    Row(
        100, None, _M.REJECTED, "Facebook does not accept the link.", "Correct the link and queue it again.",
        phrase="url is not properly formatted",
    ),
    Row(100, None, _M.NO_DATA, "Facebook does not have this figure (any more).", _NO_HURRY, phrase="valid insights metric"),
    Row(
        100, None, _M.CONFIG, "Facebook does not have a field that was asked for in this version.", _VERSION,
        phrase="nonexisting field",
    ),
    Row(
        100, None, _M.CONFIG, "The proof that comes with the token was missing or wrong.", "Check FACEBOOK_APP_SECRET.",
        phrase="appsecret_proof",
    ),
    Row(1500, None, _M.REJECTED, "Facebook does not accept the link.", "Correct the link and queue it again."),
    Row(2061006, None, _M.REJECTED, "Facebook does not accept the link.", "Correct the link and queue it again."),
    Row(
        1609005, None, _M.LATER, "Facebook could not read the page behind the link.",
        "Open the link where nobody is logged in; see whether its server lets Facebook in.", 60,
    ),
    Row(
        1609008, None, _M.REJECTED, "Facebook does not accept this link (a link to facebook.com, or badly formed).",
        "Take the link out, or put it into the text, and queue it again.",
    ),
    *(Row(3001, subcode, _M.CONFIG, "The call was made for figures and named none.", _REPORT) for subcode in (1504028, None)),
    Row(2874008, None, _M.NO_DATA, "Facebook gives figures only of Pages with at least 100 followers.", _NO_HURRY),
    Row(2932001, None, _M.NO_DATA, "Facebook gives figures only of public posts.", _NO_HURRY),
)  # fmt: skip

_NEW_PICTURE = "Save it as a JPEG of less than 4 MB and queue the announcement again."
_PICTURES = (
    Row(324, None, _M.REJECTED, "Facebook finds a picture missing or unreadable.", _NEW_PICTURE),
    Row(324, 2069019, _M.REJECTED, "Facebook finds a picture missing or unreadable.", _NEW_PICTURE),
    *(
        Row(code, subcode, _M.REJECTED, "Facebook does not accept the picture: too large, or not a picture it knows.", _NEW_PICTURE)
        for code, subcode in ((1366046, None), (100, 1366046))
    ),
    Row(1366051, None, _M.DUPLICATE, "Facebook says these pictures were posted already.", _LOOKS),
)  # fmt: skip

_BLOCKS = (
    Row(368, 1390008, _M.BLOCKED, "Facebook finds the Page posts too fast.", _HOLD_STILL, 3 * _DAY),
    Row(
        368, 1404006, _M.BLOCKED, "Facebook wants a security check.",
        f"Log in on facebook.com and pass it. {_THEN_RESUME}",
    ),
    Row(368, 1404006, _M.BLOCKED, "Facebook stops the Page for a while.", _HOLD_STILL, _DAY, phrase="please try again later"),
    Row(
        368, 1404078, _M.BLOCKED, "Facebook wants the Page Publishing Authorization completed.",
        f"Complete it on facebook.com, in the settings under identity confirmation. {_THEN_RESUME}",
    ),
    Row(
        368, 4854002, _M.BLOCKED, "Facebook wants an identity confirmed.",
        f"Confirm it in Facebook's phone app. {_THEN_RESUME}",
    ),
    Row(368, 1404112, _M.BLOCKED, "Facebook has limited the account for some days.", _HOLD_STILL, 3 * _DAY),
    Row(368, 1404082, _M.DUPLICATE, "Facebook says this was posted already.", _LOOKS),
    Row(
        368, 1404102, _M.REJECTED, "Facebook finds that the text goes against its community standards.",
        "Reword it and queue it again.",
    ),
    Row(368, 1346003, _M.REJECTED, "Facebook finds the text abusive.", "Reword it and queue it again."),
    Row(368, None, _M.BLOCKED, "Facebook has blocked the Page from posting.", _HOLD_STILL, _DAY),
    Row(506, None, _M.DUPLICATE, "Facebook says the Page's latest post has the same text.", _LOOKS),
)  # fmt: skip

ROWS: tuple[Row, ...] = (
    *_OF_THE_SERVICE,
    *_LIMITS,
    *_TOKENS,
    *_PERMISSIONS,
    *_OBJECTS,
    *_PARAMETERS,
    *_PICTURES,
    *_BLOCKS,
)

STATUS_ALONE = {429: 4}
"""Where an answer holds no code, the code that its HTTP status stands for."""

IN_DOUBT_FROM = 500
"""From this HTTP status on an answer says nothing of a post, whatever its body claims."""

_EITHER_PLACE = 1_000_000  # numbers from here on were seen as codes and, with code 100 or 1, as subcodes
_UNKNOWN = "Facebook answered with an error that is not known here; the post may be out."

_BY_NUMBERS: dict[tuple[int, int | None], list[Row]] = {}
for _row in sorted(ROWS, key=lambda row: not row.phrase):  # those with a phrase are asked first
    _BY_NUMBERS.setdefault((_row.code, _row.subcode), []).append(_row)


def look_up(code: int | None, subcode: int | None, message: str = "") -> Row:
    """Give the row for a code, a subcode and the parsed message; an unknown code means that nothing is known of the post."""
    said = message.replace("’", "'").lower()
    rows = (row for key in _keys(code, subcode) for row in _BY_NUMBERS.get(key, ()) if row.phrase in said)
    return next(rows, Row(code or 0, subcode, Meaning.AMBIGUOUS, _UNKNOWN, _LOOKS))


def _keys(code: int | None, subcode: int | None) -> Iterator[tuple[int, int | None]]:
    if code is None:
        return
    yield code, subcode
    if subcode is not None and subcode >= _EITHER_PLACE:
        yield subcode, None
    yield code, None
