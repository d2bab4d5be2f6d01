"""The templates and seed letters that come with the program are fit to be sent as they are."""

import re
from pathlib import Path

import pytest
from PIL import Image

from outreach import letter as letters
from outreach import markup
from outreach.library import Library
from outreach.model import BadInput, FieldValue, Letter
from outreach.wording import Field, Resolved, Template, resolve

QUEUE = Path(__file__).parents[2] / "queue"
TEMPLATES = Library(QUEUE / "templates").all()
FIELDS = [(template, field) for template in TEMPLATES for field in template.fields]
SEEDS = [letters.parse(path.read_text("utf-8"), name=path.name) for path in sorted((QUEUE / "seed").glob("*.md"))]
WRONG: dict[str, FieldValue] = {
    "text": ("one", "two"),
    "date": "soon",
    "time": "late",
    "url": "example.org",
    "choice": "neither",
    "person": "chairs <chairs@>",
    "list": ";",
}

each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
each_field = pytest.mark.parametrize(
    ("template", "field"), FIELDS, ids=[f"{template.name}-{field.name}" for template, field in FIELDS]
)
each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.template or "free")


def a_letter(
    template: Template, *, but: str = "", optional: bool = True, body: str = "", link: str | None = None
) -> Letter:
    fields = tuple((f.name, f.example) for f in template.fields if f.name != but and (optional or not f.optional))
    return Letter(template=template.name, body=body, link=link, fields=fields)


def full(template: Template) -> Resolved:
    letter = a_letter(template, body="A *word* of our own.", link="https://example.org/more")
    return resolve(letter, template, community="TMM SIG")


def bare(template: Template) -> Resolved:
    return resolve(a_letter(template, optional=False), template, community="TMM SIG")


def page_text(said: Resolved) -> str:
    return f"{said.title}\n\n{markup.to_plain(said.body_for('facebook', 'facebook_page'))}"


def list_text(said: Resolved) -> str:
    return markup.to_mail_text(said.body_for("listserv", "listserv"))


def test_the_occasions_of_a_year_have_their_template() -> None:
    assert [template.name for template in TEMPLATES] == [
        "business-meeting",
        "call-for-abstracts",
        "correction",
        "deadline-extended",
        "deadline-reminder",
        "election-of-chairs",
        "in-memoriam",
        "job",
        "join-the-listserv",
        "journal-club",
        "member-news",
        "poster-session",
        "thank-you",
        "trainee-award",
        "webinar",
        "welcome-new-members",
    ]
    assert Library(QUEUE / "templates").problems() == []


def test_every_type_of_field_is_in_use() -> None:
    assert {field.type for _, field in FIELDS} == set(WRONG)


@each_field
def test_every_field_has_a_help_that_is_a_sentence_and_an_example(template: Template, field: Field) -> None:
    assert re.fullmatch(r"[A-Z].{10,130}\.", field.help)
    assert field.example


@each_template
def test_the_about_is_one_sentence(template: Template) -> None:
    assert re.fullmatch(r"[A-Z][^.]{15,80}\.", template.about)


@each_template
def test_every_template_reads_well_on_both_channels_full_and_bare(template: Template) -> None:
    for said in (full(template), bare(template)):
        for text in (page_text(said), list_text(said)):
            assert not re.search(r"\{\{|\}\}|\{%|<!--|\*\*| ,|\(\)|  \S|\n\n\n|None|\bthe the\b|\.\.", text), text
            assert not re.search(r":\n\n(?![*•1-9])", text), text
            assert 100 < len(text) < 2000


@each_template
def test_every_template_says_where_to_read_on_and_what_the_coordinator_adds(template: Template) -> None:
    assert "https://example.org/more" in list_text(full(template)) or template.name == "member-news"
    assert "A word of our own." in page_text(full(template))
    assert "A word of our own." in list_text(full(template))


@each_template
def test_the_page_has_no_more_to_read_than_the_list(template: Template) -> None:
    assert len(page_text(full(template))) < len(f"{full(template).title}\n\n{list_text(full(template))}") + 25


@each_template
def test_hashtags_are_few_and_in_camel_case_and_only_on_the_page(template: Template) -> None:
    tags = re.findall(r"#\S+", page_text(full(template)))
    assert len(tags) <= 1
    assert all(re.fullmatch(r"#(?:[A-Z][a-z]+)+", tag) for tag in tags)
    assert "#" not in list_text(full(template))


@each_template
def test_no_list_server_takes_a_line_for_a_command(template: Template) -> None:
    for said in (full(template), bare(template)):
        assert markup.command_line(said.title, list_text(said)) is None
        first = [line for line in list_text(said).splitlines() if line.strip()][:10]
        assert not [
            line for line in first if re.match(r"(?i)(help|join|subscribe|leave|who|set|info|end|stop)\b", line)
        ]


@each_template
def test_every_link_and_every_mention_may_leave(template: Template) -> None:
    for said in (full(template), bare(template)):
        for body in (said.body, *(own for _, own in said.bodies)):
            markup.check_links(body)
            markup.check_images(body)
            markup.check_mentions(markup.to_plain(body))
            assert not [link for link in markup.links(body) if "example.org" not in link]


@each_field
def test_a_required_field_cannot_be_missing_and_an_optional_one_can(template: Template, field: Field) -> None:
    letter = a_letter(template, but=field.name)
    if field.optional:
        assert resolve(letter, template, community="TMM SIG").body
    else:
        with pytest.raises(BadInput) as caught:
            resolve(letter, template, community="TMM SIG")
        assert caught.value.where == f"template {template.name}, field {field.name}"
        assert caught.value.message.endswith(" is missing.")


@each_field
def test_a_value_of_the_wrong_type_is_refused(template: Template, field: Field) -> None:
    wrong = Letter(fields=(*a_letter(template, but=field.name).fields, (field.name, WRONG[field.type])))
    with pytest.raises(BadInput) as caught:
        resolve(wrong, template, community="TMM SIG")
    assert caught.value.where == f"template {template.name}, field {field.name}"
    assert " expected, not " in caught.value.message


def test_every_choice_leads_to_words_of_its_own() -> None:
    template = Library(QUEUE / "templates").get("election-of-chairs")
    letter = Letter(fields=(*a_letter(template, but="stage").fields, ("stage", "Voting is open")))
    said = resolve(letter, template, community="TMM SIG")
    assert said.title == "Election of chairs: voting is open"
    assert "every member of the TMM SIG has a vote" in said.body
    assert "voting is open until Friday, 9 April 2027" in page_text(said)


def test_the_letter_of_the_contract_is_taken() -> None:
    fields = (("deadline", "2027-01-15"), ("meeting", "Annual Meeting"))
    template = Library(QUEUE / "templates").get("call-for-abstracts")
    said = resolve(Letter(fields=fields, link="https://example.org/abstracts"), template, community="TMM SIG")
    assert said.title == "Call for abstracts: Annual Meeting"
    assert "Deadline: Friday, 15 January 2027" in page_text(said)
    assert "https://example.org/abstracts" in list_text(said)


def test_there_are_three_seed_letters_of_which_one_is_free() -> None:
    assert [seed.template for seed in SEEDS] == ["call-for-abstracts", "poster-session", None]


@each_seed
def test_a_seed_letter_can_be_sent_and_names_neither_time_nor_channel(seed: Letter) -> None:
    template = Library(QUEUE / "templates").get(seed.template) if seed.template else None
    said = resolve(seed, template, community="TMM SIG")
    assert (seed.at, seed.zone, seed.to) == (None, None, ())
    assert seed.link
    assert seed.link.startswith("https://example.org/")
    assert markup.command_line(said.title, list_text(said)) is None
    for text in (page_text(said), list_text(said)):
        assert set(re.findall(r"(?:@|//)([\w.-]+\w)", text)) == {"example.org"}


def test_the_free_seed_letter_has_a_list_and_links() -> None:
    assert "\n- **Calls and deadlines**" in SEEDS[2].body
    assert "mailto:membership@example.org" in markup.links(SEEDS[2].body)


def test_the_picture_of_the_poster_session_is_small_and_described() -> None:
    (picture,) = SEEDS[1].pictures
    assert picture.alt
    assert 50 < len(picture.alt) < 300
    path = QUEUE / "seed" / picture.file
    assert path.stat().st_size < 30_000
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (1080, 567))
        assert not image.getexif()
