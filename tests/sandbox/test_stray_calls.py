"""Calls and parameters that are in no reference are answered as ever, and noted."""

import pytest
import requests

from outreach.sandbox import Sandbox
from outreach.sandbox.call_table import CALLS, call_of, strays, watchers

from .clients import PNG, Caller


@pytest.mark.strays
def test_a_stray_call_is_noted_and_told_to_whoever_watches(box: Sandbox, call: Caller) -> None:
    told: list[str] = []
    watchers.append(told.append)
    call.feed(message="x", colour="blue")
    call.get(f"{box.page_id}/sandwiches")
    watchers.remove(told.append)
    assert told == box.graph.strays == ["POST /N/feed: no parameter colour", "GET /N/sandwiches: no such call"]
    assert requests.get(f"{box.graph_url}/_sandbox/strays", timeout=30).json() == told
    assert len(box.graph.public_posts()) == 1


def test_a_rule_keeps_it_from_those_who_watch(box: Sandbox, call: Caller) -> None:
    box.graph.rules.strict = False
    call.feed(message="x", colour="blue")
    assert box.graph.strays == ["POST /N/feed: no parameter colour"]
    box.reset()
    assert box.graph.strays == []


def test_ordinary_calls_are_no_strays(box: Sandbox, call: Caller) -> None:
    staged = call.stage(PNG, alt_text_custom="A poster")
    call.feed(message="x", **{"attached_media[0]": f'{{"media_fbid":"{staged}"}}'}, published="true")
    call.get("me", fields="id,name")
    assert box.graph.strays == []


@pytest.mark.parametrize(
    ("values", "stray"),
    [
        ({"published": "maybe"}, "published is no bool"),
        ({"link": "example.org"}, "link is no url"),
        ({"attached_media": "{"}, "attached_media is no json"),
        ({"place": "the hall"}, "place is no id"),
        ({"thumbnail": "a text"}, "thumbnail is no file"),
    ],
)
def test_a_value_of_another_type_is_one(values: dict[str, str], stray: str) -> None:
    assert strays("POST", ("1", "feed"), values) == [f"POST /N/feed: {stray}"]


def test_a_file_is_one_where_none_is_taken() -> None:
    assert strays("POST", ("1_2", "comments"), {}, ["source"]) == ["POST /N_N/comments: no file source"]
    assert strays("POST", ("1", "photos"), {}, ["whatever"]) == []


def test_a_time_of_a_picture_is_whole_seconds() -> None:
    assert strays("POST", ("1", "photos"), {"scheduled_publish_time": "2026-12-01"}) != []
    assert strays("POST", ("1", "feed"), {"scheduled_publish_time": "2026-12-01"}) == []


def test_each_call_is_found_by_a_path_of_its_own_and_rests_on_a_page_that_is_named() -> None:
    samples = {"{page}": "1", "{post}": "1_2", "{object}": "1", "{video}": "3", "{business}": "4"}
    for known in CALLS:
        segments = tuple(samples.get(part, part) for part in known.edge.split("/") if part)
        found = call_of(known.method, segments)
        assert found is not None
        assert found.rests_on
        assert found.method == known.method
    assert len({(known.method, known.edge) for known in CALLS}) == len(CALLS)
