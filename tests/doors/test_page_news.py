"""The Page's webhook from the command line, and that its word changes nothing of how a channel publishes."""

from pathlib import Path

import pytest

from outreach.channels._config import config_of
from outreach.sandbox import Sandbox
from outreach.settings import read_settings
from tests.doors.place import Place


def test_following_says_what_is_told_and_where(place: Place, box: Sandbox) -> None:
    told = place.json("channels", "follow", "facebook", "--as", "ann@example.org")
    assert told == {
        "channel": "facebook", "fields": ["feed"], "address": "http://127.0.0.1:8000/hooks/facebook", "is_heard": False,
    }  # fmt: skip
    assert box.graph.world.subscribed[box.page_id] == ("feed",)
    assert "Nobody hears it yet: set FACEBOOK_WEBHOOK_VERIFY_TOKEN" in place.cli("channels", "follow", "facebook").out


@pytest.mark.parametrize(
    ("name", "message"),
    [("listserv", "listserv does not tell anything by itself."), ("nothing", "There is no channel called 'nothing'.")],
)
def test_what_tells_nothing_cannot_be_followed(place: Place, name: str, message: str) -> None:
    answer = place.cli("channels", "follow", name)
    assert (answer.code, message in answer.err) == (1, True)


def test_the_lack_of_a_permission_names_it(place: Place, box: Sandbox) -> None:
    box.graph.tokens.narrow(box.page_token, "pages_manage_metadata")
    answer = place.cli("channels", "follow", "facebook")
    assert (answer.code, "pages_manage_metadata" in answer.err) == (1, True)


def test_a_word_for_the_webhook_ends_no_pause(place: Place, tmp_path: Path) -> None:
    house = place.house()
    channel = house.targets[0].channel
    with_word = read_settings(place.settings | {"FACEBOOK_WEBHOOK_VERIFY_TOKEN": "word"})
    assert config_of(channel, with_word) == config_of(channel, house.settings)
    house.close()
