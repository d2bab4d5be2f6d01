"""Every Graph error the sandbox can answer, as data, so that tests inject each by name.

Codes, subcodes and what they mean come from Facebook's published references and public reports; the sentences are the
sandbox's own except for the phrases clients are known to look at.
"""

from dataclasses import dataclass
from typing import Any

OAUTH = "OAuthException"
MISSING = "GraphMethodException"


class GraphError(Exception):
    """A refusal in the shape of the Graph API: HTTP status, code, subcode and sentence."""

    def __init__(
        self, code: int, message: str, *, subcode: int | None = None, status: int = 400, kind: str = OAUTH
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode, self.status, self.kind = code, message, subcode, status, kind

    def body(self) -> dict[str, Any]:
        """Return the inner error object, without a trace id."""
        inner: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            inner["error_subcode"] = self.subcode
        return inner


@dataclass(frozen=True, slots=True)
class Row:
    """One known error. `wrote` marks those that arrive although the write was done; `extra` joins the error object."""

    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    kind: str = OAUTH
    wrote: bool = False
    extra: tuple[tuple[str, Any], ...] = ()


_TRANSIENT = (("is_transient", True),)
_SESSION = "Error validating access token: "

ROWS: dict[str, Row] = {
    # The service itself
    "1": Row(1, "An unknown error occurred", status=500),
    "1_2853006": Row(1, "You don't have permission to do this", 2853006),
    "2": Row(2, "An unexpected error has occurred. Please retry your request later.", status=500, extra=_TRANSIENT),
    "3": Row(3, "(#3) Application does not have the capability to make this API call."),
    "5": Row(5, "(#5) Unauthorized source IP address"),
    "12": Row(12, "(#12) This method is deprecated for the requested version"),
    "2635": Row(2635, "You are calling a deprecated version of the API"),
    "20": Row(20, "(#20) The requested response format is not available", wrote=True),
    "20_1772107": Row(20, "The requested response format is not available", 1772107, wrote=True),
    "2500": Row(2500, "Unknown path components: /feeds"),
    "2500_no_token": Row(2500, "An active access token must be used to query information about the current user."),
    # Limits
    "4": Row(4, "(#4) Application request limit reached", status=403),
    "4_2207051": Row(
        4,
        "Application request limit reached",
        2207051,
        403,
        extra=(
            ("is_transient", False),
            ("error_user_title", "Action is blocked"),
            ("error_user_msg", "Some activity is restricted."),
        ),
    ),
    "17": Row(17, "(#17) User request limit reached"),
    "32": Row(32, "(#32) Page request limit reached"),
    "341": Row(341, "(#341) Feed action request limit reached"),
    "613": Row(613, "(#613) Calls to this api have exceeded the rate limit."),
    **{
        str(code): Row(code, f"(#{code}) There have been too many calls to this account. Wait a bit and try again.")
        for code in range(80000, 80015)
    },
    # Permissions
    "10": Row(10, "(#10) Application does not have permission for this action"),
    "200": Row(
        200, "(#200) Requires both pages_read_engagement and pages_manage_posts as an admin with sufficient permission"
    ),
    "200_as_page": Row(200, "(#200) Unpublished posts must be posted to a page as the page itself."),
    "200_1376025": Row(200, "Permissions error", 1376025, 403, extra=(("is_transient", False),)),
    "200_2069030": Row(200, "(#200) This endpoint is not supported for this Page", 2069030),
    "200_2069031": Row(200, "(#200) This field is not supported for this Page", 2069031),
    "200_2069033": Row(200, "(#200) This feature is not supported for this Page", 2069033),
    **{
        str(code): Row(code, f"(#{code}) A permission is missing for this Page")
        for code in range(201, 300)
        if code not in {210, 220, 240, 283}
    },
    "283": Row(283, "(#283) Requires pages_manage_posts permission to manage the object"),
    "25": Row(25, "User access is restricted"),
    "25_2207050": Row(
        25,
        "User access is restricted",
        2207050,
        extra=(
            ("is_transient", False),
            ("error_user_title", "User is restricted"),
            ("error_user_msg", "The account is restricted."),
        ),
    ),
    # Tokens
    "101": Row(101, "Error validating application. Cannot get application info due to a system error."),
    "102": Row(102, "Session key invalid or no longer valid"),
    "104": Row(104, "Incorrect signature"),
    "190": Row(190, "Invalid OAuth access token."),
    "190_458": Row(190, _SESSION + "The user has not authorized the application.", 458),
    "190_459": Row(190, _SESSION + "The user must log in and pass a checkpoint.", 459),
    "190_460": Row(190, _SESSION + "The session has been invalidated because the password changed.", 460),
    "190_461": Row(190, _SESSION + "The session does not match the current stored session.", 461),
    "190_463": Row(190, _SESSION + "Session has expired.", 463),
    "190_464": Row(190, _SESSION + "Sessions are not allowed because the user is not a confirmed user.", 464),
    "190_467": Row(190, _SESSION + "The session is invalid because the user logged out.", 467),
    "190_492": Row(
        190,
        "The user must have a role on the page in order to impersonate it, and may need Two Factor Authentication.",
        492,
    ),
    "190_2069032": Row(190, "A Page access token is required for this call", 2069032),
    "190_garbled": Row(190, "Invalid OAuth access token - Cannot parse access token"),
    "190_impersonating": Row(
        190,
        "Any of the pages_read_engagement, pages_manage_metadata or pages_show_list permission(s) must be granted before impersonating a user's page.",
    ),
    # Objects
    "21": Row(21, "(#21) The Page was migrated to another ID"),
    "33": Row(33, "This object does not exist or does not support this action", kind=MISSING),
    "100_33": Row(
        100,
        "Unsupported request. The object does not exist, cannot be loaded due to missing permissions, or does not support this operation",
        33,
        kind=MISSING,
    ),
    "803": Row(803, "(#803) Some of the aliases you requested do not exist"),
    "110": Row(110, "(#110) Invalid user id"),
    "210": Row(210, "(#210) User not visible"),
    "220": Row(220, "(#220) Album or albums not visible"),
    "240": Row(240, "(#240) The target user is not valid for this action"),
    # Parameters
    "100": Row(100, "(#100) Invalid parameter"),
    "100_schedule": Row(100, "(#100) The specified scheduled publish time is invalid."),
    "100_metric": Row(100, "(#100) The value must be a valid insights metric"),
    "100_url": Row(100, "(#100) link URL is not properly formatted"),
    "100_field": Row(100, "(#100) Tried accessing nonexisting field (colour) on node type (Post)"),
    "100_too_long": Row(100, "(#100) Name parameter too long"),
    "100_proof_missing": Row(100, "API calls from the server require an appsecret_proof argument"),
    "100_proof": Row(100, "Invalid appsecret_proof provided in the API argument"),
    "1500": Row(1500, "The url you supplied is invalid"),
    "2061006": Row(2061006, "The link is not a valid URL"),
    "1609005": Row(1609005, "Error parsing the URL: the link could not be scraped"),
    "1609008": Row(1609008, "Links to facebook.com cannot be attached"),
    "1705": Row(1705, "(#1705) There was an error posting to this wall: act as the Page"),
    "2874008": Row(2874008, "Insights need at least 100 followers"),
    "2932001": Row(2932001, "Insights are only available for a public post"),
    "3001": Row(3001, "(#3001) No metric was specified"),
    "3001_1504028": Row(3001, "(#3001) No metric was specified", 1504028),
    # Pictures
    "324": Row(324, "(#324) Requires upload file"),
    "324_2069019": Row(324, "Missing or invalid image file", 2069019, extra=_TRANSIENT),
    "1366046": Row(
        1366046,
        "Your photos couldn't be uploaded. Photos should be less than 4 MB and saved as JPG, PNG, GIF or TIFF files.",
    ),
    "100_1366046": Row(100, "(#100) The photo is too large: photos should be less than 4 MB", 1366046),
    "1366051": Row(1366051, "These photos were already posted."),
    # Blocks and duplicates
    "368": Row(368, "The action attempted has been deemed abusive or is otherwise disallowed"),
    "368_1390008": Row(
        368,
        "We limit how often you can post, comment or do other things in a given amount of time. You can try again later.",
        1390008,
    ),
    "368_1404006": Row(
        368,
        "A security check is required to proceed.",
        1404006,
        extra=(("error_user_msg", ""), ("error_data", {"help_center_id": 0, "is_silent": False})),
    ),
    "368_1404006_later": Row(368, "We are checking this. Please try again later.", 1404006),
    "368_1404078": Row(
        368, "You're restricted from acting as your Page until you complete Page Publishing Authorization.", 1404078
    ),
    "368_1404082": Row(368, "You've already posted this. Posting the same content repeatedly isn't allowed.", 1404082),
    "368_1404102": Row(368, "This content goes against our Community Standards", 1404102),
    "368_1346003": Row(368, "This content was reported as abusive", 1346003),
    "368_1404112": Row(368, "Your Page is limited for some days", 1404112),
    "368_4854002": Row(368, "Confirm your identity before you can publish as this Page.", 4854002),
    "506": Row(506, "(#506) Duplicate status message: duplicate posts cannot be published consecutively"),
    # Sources disagree about these
    "1349125": Row(1349125, "Something went wrong with this request"),
    "1363047": Row(1363047, "Something went wrong with this request"),
    "1609010": Row(1609010, "The service is unavailable for this request"),
}


def error_named(name: str) -> GraphError:
    """Return the error of one row; raises `KeyError` with the known names for a wrong one."""
    row = row_named(name)
    return GraphError(row.code, row.message, subcode=row.subcode, status=row.status, kind=row.kind)


def row_named(name: str) -> Row:
    """Return one row; raises `KeyError` that lists the known names."""
    try:
        return ROWS[name]
    except KeyError:
        raise KeyError(f"no error row {name!r}; known: {', '.join(ROWS)}") from None
