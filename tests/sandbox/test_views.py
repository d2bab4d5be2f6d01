"""What a person sees: the Page, a post, the archive, a mail."""

import html

import pytest
import requests

from outreach.sandbox import Sandbox

from .clients import JPEG, PNG, Caller, a_mail, media, submit


def seen(address: str) -> str:
    answer = requests.get(address, timeout=30)
    assert answer.status_code == 200
    return answer.text


def test_the_page_says_that_it_is_not_facebook(box: Sandbox) -> None:
    assert "This is a sandbox, not Facebook" in seen(box.page_url)
    assert "This is a sandbox, not Facebook" in seen(box.archive_url)


def test_posts_are_shown_newest_first(box: Sandbox, call: Caller) -> None:
    call.publish("The older one")
    call.publish("The newer one")
    text = seen(box.page_url)
    assert text.index("The newer one") < text.index("The older one")


def test_a_time_names_its_zone(box: Sandbox, call: Caller) -> None:
    call.publish("x")
    assert '<time datetime="2026-11-24T12:00:00Z">24 November 2026, 12:00 UTC</time>' in seen(box.page_url)


def test_line_breaks_are_kept_and_addresses_are_links(box: Sandbox, call: Caller) -> None:
    call.publish("First line\nSee https://example.org/a?b=1&c=2.")
    assert 'First line\nSee <a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noreferrer">' in seen(
        box.page_url
    )


HOSTILE = '<script>alert(1)</script> "\'><img src=x onerror=alert(1)> https://example.org/"><b>x'


def test_a_hostile_post_is_text(box: Sandbox, call: Caller) -> None:
    box.graph.rules.link_cards["https://example.org/<b>"] = (HOSTILE, HOSTILE)
    call.publish(HOSTILE, link="https://example.org/<b>")
    call.publish(HOSTILE, attached_media=media(call.stage(alt_text_custom=HOSTILE)))
    for address in (box.page_url, *(post.permalink_url for post in box.graph.public_posts())):
        text = seen(address)
        assert "<script" not in text
        assert "<img src=x" not in text
        assert "<b>" not in text


def test_a_hostile_mail_is_text(box: Sandbox) -> None:
    box.mail.lists[box.list_address].size_limit = 2_000
    submit(box, a_mail(box, Subject=HOSTILE, body=HOSTILE))
    submit(box, a_mail(box, Subject=HOSTILE, body="x" * 2_000))
    for address in (box.archive_url, f"{box.archive_url}/1"):
        assert "<script" not in seen(address)
        assert html.escape(HOSTILE.partition(" https")[0]) in seen(address)


def test_no_script_may_run_on_any_page(box: Sandbox) -> None:
    policy = requests.get(box.page_url, timeout=30).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_pictures_are_shown_with_their_alternative_text(box: Sandbox, call: Caller) -> None:
    photo_id = call.stage(JPEG, alt_text_custom="A full lecture hall")
    call.publish("x", attached_media=media(photo_id))
    assert f'<img src="/media/{photo_id}" alt="A full lecture hall"' in seen(box.page_url)
    assert requests.get(f"{box.graph_url}/media/{photo_id}", timeout=30).content == JPEG


def test_a_link_is_a_card(box: Sandbox, call: Caller) -> None:
    box.graph.rules.link_cards["https://example.org/talk"] = ("The talk", "On Tuesday")
    call.publish("x", link="https://example.org/talk")
    text = seen(box.page_url)
    assert '<a href="https://example.org/talk" rel="nofollow noreferrer">The talk</a>' in text
    assert "On Tuesday" in text


def test_a_permalink_shows_one_post_with_its_comments(box: Sandbox, call: Caller) -> None:
    call.publish("Another post")
    post_id = call.publish("This post")
    call.post(f"{post_id}/comments", message="The first comment")
    text = seen(call.get(post_id, fields="permalink_url").json()["permalink_url"])
    assert "This post" in text
    assert "The first comment" in text
    assert "Another post" not in text


def test_what_is_not_public_is_not_shown(box: Sandbox, call: Caller) -> None:
    post_id = call.publish("Secret", published="false")
    assert "Secret" not in seen(box.page_url)
    assert (
        requests.get(call.get(post_id, fields="permalink_url").json()["permalink_url"], timeout=30).status_code == 404
    )


def test_the_archive_shows_mails_newest_first(box: Sandbox) -> None:
    submit(box, a_mail(box, Subject="The older one"))
    submit(box, a_mail(box, Subject="The newer one", body="See https://example.org/\r\n"))
    text = seen(box.archive_url)
    assert text.index("The newer one") < text.index("The older one")
    assert "From Coordinator &lt;coordinator@example.org&gt;, <time" in text
    assert '<a href="https://example.org/"' in text
    assert "24 November 2026, 12:00 UTC" in text


def test_the_archive_shows_held_mails_with_the_reason(box: Sandbox) -> None:
    box.mail.lists[box.list_address].moderated = True
    submit(box)
    assert "Held: The message comes from a moderated member" in seen(box.archive_url)


def test_mails_to_people_can_be_read_of_everybody_once_it_is_open_to_everybody(box: Sandbox) -> None:
    assert "No mails yet." in seen(f"{box.graph_url}/mailboxes")
    box.mail.open_to_everybody()
    submit(box, a_mail(box, Subject="An invitation", body="Open https://example.org/links/x\r\n"), to="New@example.org")
    text = seen(box.mailboxes_url)
    assert "<h2>new@example.org</h2>" in text
    assert "<h3>An invitation</h3>" in text
    assert '<a href="https://example.org/links/x"' in text
    assert box.mailboxes_url.endswith("/mailboxes")


def test_a_single_mail_and_its_raw_bytes_can_be_read(box: Sandbox) -> None:
    submit(box)
    assert "<h1>Colloquium</h1>" in seen(f"{box.archive_url}/1")
    answer = requests.get(f"{box.archive_url}/1/raw", timeout=30)
    assert answer.content == a_mail(box)
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_the_front_page_leads_everywhere(box: Sandbox) -> None:
    text = seen(box.graph_url + "/")
    assert f'href="/page/{box.page_id}"' in text
    assert f'href="/lists/{box.list_address}"' in text


@pytest.mark.parametrize(
    "path",
    [
        "page/1",
        "page/1/2/3",
        "page/{page}/posts/1",
        "media/1",
        "lists/x",
        "lists/{list}/1",
        "lists/{list}/0/raw",
        "lists/a/b/c/d",
    ],
)
def test_what_is_not_there_is_not_found(box: Sandbox, path: str) -> None:
    address = f"{box.graph_url}/{path.format(page=box.page_id, list=box.list_address)}"
    assert requests.get(address, timeout=30).status_code == 404


def test_the_style_is_for_light_and_dark_and_fetched_from_here_only(box: Sandbox) -> None:
    assert '<link rel="stylesheet" href="/_sandbox/style.css">' in seen(box.page_url)
    style = seen(f"{box.graph_url}/_sandbox/style.css")
    assert "color-scheme: light dark" in style
    assert "http" not in style


def test_looking_leaves_no_trace_in_the_journal(box: Sandbox, call: Caller) -> None:
    call.stage(PNG)
    seen(box.page_url)
    seen(box.archive_url)
    assert len(box.graph.journal) == 1
