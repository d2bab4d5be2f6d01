"""Templates and letters become words: typed fields, own wordings, and a cage around Jinja."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.model import BadInput, FieldValue, Letter
from outreach.wording import Field, Place, Resolved, Template, faults, resolve

DEADLINE = Field("deadline", "date", example="2027-01-15")
MEETING = Field("meeting", "text", example="Annual Meeting")
SPEAKERS = Field("speakers", "list", optional=True)
STAGE = Field("stage", "choice", choices=("Call for candidates", "Voting"))


def a_template(body: str = "See you.", *fields: Field, **more: Any) -> Template:
    return Template(**{"name": "club", "title": "Club", "about": "", "fields": fields, "body": body} | more)


def a_letter(body: str = "", **fields: FieldValue) -> Letter:
    return Letter(body=body, template="club", fields=tuple(fields.items()))


def body_of(template: Template, letter: Letter) -> str:
    return resolve(letter, template, community="TMM SIG").body


def printed(type: str, given: FieldValue, body: str = "{{ it }}", **more: Any) -> str:
    return body_of(a_template(body, Field("it", type, **more)), a_letter(it=given))


def trouble_of(template: Template, letter: Letter) -> BadInput:
    with pytest.raises(BadInput) as caught:
        resolve(letter, template, community="TMM SIG")
    return caught.value


def fault_of(body: str, *fields: Field) -> BadInput:
    found = faults(a_template(body, *fields))
    assert found, f"{body!r} was taken"
    return found[0]


# Letters without a template.


def test_a_letter_without_a_template_says_literally_what_it_says() -> None:
    letter = Letter(title="Save {{ the }} date", body="{% if %} {{ nothing }} is filled\n")
    expected = Resolved("Save {{ the }} date", "{% if %} {{ nothing }} is filled\n", ())
    assert resolve(letter, None, community="TMM SIG") == expected


def test_fields_without_a_template_are_not_silently_dropped() -> None:
    with pytest.raises(BadInput) as caught:
        resolve(Letter(title="Hello", body="x", fields=(("deadline", "2027-01-15"),)), None, community="TMM SIG")
    assert caught.value.message == "There are fields, but no template to use them."


@pytest.mark.parametrize("title", ["", " \t", "two\nlines", "a\tb", "bell\x07", "half \ud800", "line\u2028line"])
def test_a_title_that_is_no_plain_line_is_refused(title: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(Letter(title=title, body="x"), None, community="TMM SIG")
    assert caught.value.where == "title"


def test_a_title_may_hold_any_script_and_emoji() -> None:
    title = "Ñandú 会议 👩‍🔬: 15\u00a0January"
    assert resolve(Letter(title=title, body="x"), None, community="TMM SIG").title == title


# Letters with a template.


def test_a_template_prints_fields_link_and_community() -> None:
    template = a_template("{{ community }}: {{ meeting }}, {{ link }}", MEETING)
    letter = Letter(fields=(("meeting", "Annual Meeting"),), link="https://example.org/x")
    assert body_of(template, letter) == "TMM SIG: Annual Meeting, https://example.org/x"


def test_the_title_pattern_is_used_when_the_letter_has_no_title() -> None:
    template = a_template("x", MEETING, title="Call: {{ meeting }}")
    assert resolve(a_letter(meeting="Annual Meeting"), template, community="").title == "Call: Annual Meeting"


def test_the_title_of_the_letter_wins() -> None:
    template = a_template("x", MEETING, title="Call: {{ meeting }}")
    letter = Letter(title="Last {{ call }}", fields=(("meeting", "Annual Meeting"),))
    assert resolve(letter, template, community="").title == "Last {{ call }}"


def test_a_title_of_several_lines_made_from_a_field_is_refused() -> None:
    trouble = trouble_of(a_template("x", MEETING, title="Call: {{ meeting }}"), a_letter(meeting="one\ntwo"))
    assert trouble.message == "The title is more than one plain line."


def test_the_body_of_the_letter_goes_where_the_wording_has_a_place_for_it() -> None:
    assert body_of(a_template("Before\n\n{{ body }}\n\nAfter"), a_letter("own text")) == "Before\n\nown text\n\nAfter"


def test_the_body_follows_after_a_blank_line_when_the_wording_has_no_place() -> None:
    assert body_of(a_template("The wording.\n"), a_letter("\nown text\n")) == "The wording.\n\nown text"


def test_the_body_is_not_lost_in_a_branch_that_is_not_taken() -> None:
    template = a_template("Hello{% if speakers %} {{ speakers }} {{ body }}{% endif %}", SPEAKERS)
    assert body_of(template, a_letter("own text")) == "Hello\n\nown text"


def test_a_letter_without_a_body_leaves_no_gap() -> None:
    template = a_template("Before\n\n{% if body %}\n{{ body }}\n\n{% endif %}\nAfter")
    assert body_of(template, a_letter("  \n")) == "Before\n\nAfter"


def test_an_own_wording_without_a_place_gets_the_body_too() -> None:
    resolved = resolve(a_letter("own text"), a_template("{{ body }}", channels=(("facebook", "Short."),)), community="")
    assert resolved.body == "own text"
    assert resolved.bodies == (("facebook", "Short.\n\nown text"),)


def test_what_people_write_is_never_rendered_itself() -> None:
    letter = a_letter("{{ meeting }} {% for %} *as is*", meeting="{{ 7 * 7 }} *x* {# gone? #}")
    text = body_of(a_template("{{ meeting }}\n{{ body }}", MEETING), letter)
    assert text == "{{ 7 * 7 }} *x* {# gone? #}\n{{ meeting }} {% for %} *as is*"


def test_html_and_quotes_are_inserted_as_they_are() -> None:
    assert printed("text", 'R&D <b> "it\'s"') == 'R&D <b> "it\'s"'


def test_a_channel_is_found_by_its_name_then_its_kind_then_the_first_word_of_its_kind() -> None:
    own = (("mastodon_account", "kind"), ("facebook", "word"), ("page-de", "name"))
    resolved = Resolved("t", "all", own)
    assert resolved.body_for("Page-DE", "facebook_page") == "name"
    assert resolved.body_for("page-de", "mastodon_account") == "name"
    assert resolved.body_for("other", "mastodon_account") == "kind"
    assert resolved.body_for("other", "facebook_page") == "word"
    assert resolved.body_for("listserv", "listserv") == "all"


def test_a_tag_in_a_line_of_its_own_leaves_no_line_and_one_behind_words_keeps_its_line_end() -> None:
    body = "Where: {{ meeting }}{% if speakers %}, with {{ speakers }}{% endif %}\nNext\n  {% if speakers %}\nx\n  {% endif %}\nEnd"
    template = a_template(body, MEETING, SPEAKERS)
    assert body_of(template, a_letter(meeting="Boston")) == "Where: Boston\nNext\nEnd"
    assert body_of(template, a_letter(meeting="Boston", speakers="A")) == "Where: Boston, with A\nNext\nx\nEnd"


# Typed fields.


@pytest.mark.parametrize(
    "given",
    [
        "2027-01-15",
        "15 January 2027",
        "15 jan 2027",
        "Jan 15, 2027",
        "January 15 2027",
        "Jan. 15th, 2027",
        " 2027-1-15 ",
    ],
)
def test_a_date_is_read_in_the_usual_forms_and_printed_in_one(given: str) -> None:
    assert printed("date", given) == "15 January 2027"


def test_a_date_can_be_printed_as_weekday_and_in_iso_form() -> None:
    assert (
        printed("date", "2027-01-05", "{{ it | weekday }} {{ it | iso }} {{ it }}")
        == "Tuesday 2027-01-05 5 January 2027"
    )


@pytest.mark.parametrize(
    "given", ["soon", "2027-02-30", "01/02/2027", "15 Foo 2027", "15 January", "2027-13-01", "20270115"]
)
def test_what_is_no_single_date_is_refused(given: str) -> None:
    trouble = trouble_of(a_template("{{ deadline }}", DEADLINE), a_letter(deadline=given))
    assert trouble.where == "template club, field deadline"
    assert trouble.message == f"A date is expected, not '{given}'."
    assert trouble.next_step == "Write it like 2027-01-15."


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("18:30", "18:30"),
        ("9:05", "09:05"),
        ("6:30 pm", "18:30"),
        ("6:30 p.m.", "18:30"),
        ("6pm", "18:00"),
        ("12 am", "00:00"),
        ("12:15 PM", "12:15"),
        ("18:30 America/New_York", "18:30 America/New_York"),
        ("11:59 pm AoE", "23:59 AoE"),
        ("18:30 CET", "18:30 CET"),
        ("18:30 UTC+5:30", "18:30 UTC+5:30"),
    ],
)
def test_a_time_is_printed_in_24_hours_with_its_zone_as_given(given: str, shown: str) -> None:
    assert printed("time", given) == shown


@pytest.mark.parametrize("given", ["noonish", "24:00", "18:60", "13 pm", "0:30 am", "18", "18:30 or later", "18.30"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="A time is expected"):
        printed("time", given)


def test_a_web_address_is_printed_as_given() -> None:
    assert printed("url", " https://example.org:8443/a_b?x=1&y=2#top ") == "https://example.org:8443/a_b?x=1&y=2#top"


@pytest.mark.parametrize(
    "given",
    [
        "example.org",
        "ftp://example.org",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://[half",
        "https://example.org:port/",
        "https://example.org@other.example/",
        "https://example.org/a b",
        "https://example.org/<x>",
    ],
)
def test_what_is_no_web_address_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="A web address"):
        printed("url", given)


def test_a_choice_is_printed_in_its_own_spelling() -> None:
    assert printed("choice", "VOTING", choices=("Call for candidates", "Voting")) == "Voting"


def test_what_is_no_choice_is_refused_with_all_choices() -> None:
    trouble = trouble_of(a_template("{{ stage }}", STAGE), a_letter(stage="later"))
    assert trouble.message == "A choice is expected, not 'later'."
    assert trouble.next_step == "Write one of: Call for candidates, Voting."


def test_a_wording_can_depend_on_a_choice() -> None:
    template = a_template('{% if stage == "Voting" %}Please vote.{% else %}Please stand.{% endif %}', STAGE)
    assert body_of(template, a_letter(stage="voting")) == "Please vote."
    assert body_of(template, a_letter(stage="call for candidates")) == "Please stand."


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("the SIG chairs", "the SIG chairs"),
        ("the SIG chairs <Chairs@Example.ORG>", "the SIG chairs (<Chairs@example.org>)"),
        ('"The chairs" <chairs@example.org>', "The chairs (<chairs@example.org>)"),
        ("chairs@example.org", "<chairs@example.org>"),
    ],
)
def test_a_person_is_printed_with_the_address_as_a_link(given: str, shown: str) -> None:
    assert printed("person", given) == shown


def test_a_person_can_be_printed_by_name_or_address_alone() -> None:
    assert (
        printed("person", "the chairs <chairs@example.org>", "{{ it | name }}/{{ it | address }}")
        == "the chairs/chairs@example.org"
    )


@pytest.mark.parametrize(
    "given", ["chairs <chairs@>", "chairs <chairs>", "a@b@example.org", "chairs <a@example.org", "<>"]
)
def test_a_person_with_an_impossible_address_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="A role or name"):
        printed("person", given)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a", "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        ("a; b;c", "a, b and c"),
        ("a; b\nc\n\n", "a; b and c"),
        (("A, Boston", "B", "C"), "A, Boston; B; and C"),
    ],
)
def test_a_list_is_printed_as_a_sentence_counts(given: FieldValue, shown: str) -> None:
    assert printed("list", given, "{{ it | sentence }}") == shown
    assert printed("list", given) == shown


def test_a_list_can_be_printed_entry_by_entry() -> None:
    body = "{% for entry in it %}\n{{ loop.index }}. {{ entry }}{% if not loop.last %},{% endif %}\n{% endfor %}"
    assert printed("list", ("a", "b"), body) == "1. a,\n2. b"


def test_a_text_of_several_lines_stays_as_it_is() -> None:
    assert printed("text", "one\r\n\r\n- two\n") == "one\n\n- two"


@pytest.mark.parametrize("type", ["text", "date", "time", "url", "choice", "person"])
def test_only_a_list_takes_several_values(type: str) -> None:
    with pytest.raises(BadInput, match="expected, not a list"):
        printed(type, ("2027-01-15", "18:30"), choices=("2027-01-15",) if type == "choice" else ())


@pytest.mark.parametrize("type", ["date", "time", "url", "choice", "person"])
def test_only_a_text_or_a_list_takes_several_lines(type: str) -> None:
    with pytest.raises(BadInput, match="expected, not several lines"):
        printed(type, "2027-01-15\n18:30", choices=("x",) if type == "choice" else ())


def test_a_field_with_a_control_character_is_refused() -> None:
    with pytest.raises(BadInput, match="invisible control character"):
        printed("text", "ring\x00 the bell")


def test_all_missing_fields_are_named_at_once() -> None:
    trouble = trouble_of(a_template("{{ meeting }} {{ deadline }}", MEETING, DEADLINE), a_letter(meeting=" "))
    assert trouble.where == "template club"
    assert trouble.message == "2 fields are missing: meeting, deadline."
    assert trouble.next_step == "Fill in, for example: meeting: Annual Meeting | deadline: 2027-01-15"


def test_a_single_missing_field_is_named_with_its_form() -> None:
    trouble = trouble_of(a_template("{{ deadline }}", DEADLINE), a_letter())
    assert (
        str(trouble) == "template club, field deadline: A date is missing. Fill in, for example: deadline: 2027-01-15"
    )


def test_an_unknown_field_is_refused_with_the_nearest_name() -> None:
    trouble = trouble_of(a_template("{{ deadline }}", DEADLINE), a_letter(dedline="2027-01-15"))
    assert (trouble.where, trouble.next_step) == ("template club, field dedline", 'Did you mean "deadline"?')


def test_a_field_given_twice_is_refused() -> None:
    letter = Letter(fields=(("deadline", "2027-01-15"), ("deadline", "2027-01-16")))
    assert trouble_of(a_template("{{ deadline }}", DEADLINE), letter).message == "It is given twice."


@pytest.mark.parametrize(
    ("type", "filter"), [("date", "weekday"), ("date", "iso"), ("person", "name"), ("list", "sentence")]
)
def test_an_optional_field_that_is_not_given_prints_nothing(type: str, filter: str) -> None:
    template = a_template(
        f"a{{{{ it }}}}{{{{ it | {filter} }}}}{{% if it %}}b{{% endif %}}c", Field("it", type, optional=True)
    )
    assert body_of(template, a_letter()) == "ac"
    assert body_of(template, a_letter(it="")) == "ac"


# Broken templates.


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ meeting.__class__ }}",
        "{{ meeting['__class__'] }}",
        "{{ meeting | attr('__class__') }}",
        "{{ meeting.format(meeting) }}",
        "{{ self.__init__ }}",
        "{{ range(10**9) | list }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ 9**9**9**9 }}",
        "{{ '%0999999999d' % 1 }}",
        "{{ meeting ~ meeting }}",
        "{% set x = meeting %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'secret' %}",
        "{% import 'os' as os %}",
        "{% extends meeting %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ meeting if meeting }}",
        "{{ meeting is callable }}",
        "{{ meeting > 3 }}",
        "{{ [1] }}",
        "{{ {} }}",
        "{{ lipsum(n=100000) }}",
        "{% for c in meeting %}{{ c }}{% endfor %}",
        "{% for a in speakers %}{% for b in speakers %}x{% endfor %}{% endfor %}",
        "{% for a in speakers recursive %}{{ loop(speakers) }}{% endfor %}",
        "{% for a in speakers %}{{ loop }}{% endfor %}",
        "{% for a in speakers %}{{ meeting.first }}{% endfor %}",
        "{% if link %}{{ loop.first }}{% endif %}",
        "{% for a in speakers %}{{ loop.__init__ }}{% endfor %}",
        "{% autoescape true %}x{% endautoescape %}",
        "{{ speakers | sentence('x') }}",
        "{{ meeting | weekday }}",
        "{{ " + "(" * 3000,
        "{{ " + "not " * 3000 + "meeting }}",
        "{% if meeting %}" * 200 + "{% endif %}" * 200,
        "{% if meeting %}" + "{% elif meeting %}" * 2000 + "{% endif %}",
    ],
)
def test_a_wording_is_not_a_program(body: str) -> None:
    trouble = trouble_of(a_template(body, MEETING, SPEAKERS), a_letter(meeting="x", speakers="a; b"))
    assert trouble.where == "template club, body, line 1"
    assert trouble.next_step


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", " if ", " for x in ", "endif", "endfor", "speakers", "meeting", ".", "|", "(", "'", "\n", "{#", "-", "+", "in", "not "]), max_size=12))  # fmt: skip
def test_whatever_a_wording_holds_it_renders_or_is_refused(pieces: list[str]) -> None:
    template = a_template("".join(pieces) + "\n{{ meeting }}{{ speakers }}", MEETING, SPEAKERS)
    with suppress(BadInput):
        assert resolve(a_letter(meeting="x", speakers="a; b"), template, community="c").title == "Club"


def test_the_output_is_bounded() -> None:
    template = a_template("{% for s in speakers %}{{ meeting }}{% endfor %}", MEETING, SPEAKERS)
    trouble = trouble_of(template, a_letter(meeting="x" * 10_000, speakers=("s",) * 11))
    assert trouble.message == "The text grows longer than 100,000 characters."


def test_the_output_is_bounded_however_often_the_body_is_printed() -> None:
    trouble = trouble_of(a_template("{{ body }}" * 12), a_letter("x" * 10_000))
    assert trouble.message == "The text grows longer than 100,000 characters."


@pytest.mark.parametrize(("type", "given"), [("text", "x" * 20_001), ("list", ("x",) * 201)])
def test_a_field_is_bounded(type: str, given: FieldValue) -> None:
    with pytest.raises(BadInput, match="a field takes"):
        printed(type, given)


def test_a_syntax_error_is_named_with_its_line() -> None:
    fault = fault_of("one\ntwo {{ meeting", MEETING)
    assert fault.where == "template club, body, line 2"
    assert fault.message.startswith("The wording cannot be read: ")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    fault = fault_of("one\n{{ meting }}", MEETING)
    assert str(fault) == 'template club, body, line 2: Nothing is named "meting" here. Did you mean "meeting"?'


def test_an_unknown_name_in_a_branch_that_is_never_taken_is_refused_too() -> None:
    assert fault_of("{% if link %}{{ meting }}{% endif %}").message == 'Nothing is named "meting" here.'


def test_a_loop_variable_is_known_in_its_loop_only() -> None:
    assert faults(a_template("{% for s in speakers %}{{ s }}{% endfor %}", SPEAKERS)) == []
    assert (
        fault_of("{% for s in speakers %}{{ s }}{% endfor %}{{ s }}", SPEAKERS).message == 'Nothing is named "s" here.'
    )


def test_a_comparison_with_what_is_no_choice_is_refused() -> None:
    assert fault_of('{% if stage == "Votng" %}x{% endif %}', STAGE).message == '"Votng" is no choice of stage.'


def test_a_field_that_is_never_used_is_a_fault() -> None:
    assert fault_of("Hello", DEADLINE).message == 'Field "deadline" is never used.'


def test_a_field_used_in_one_wording_only_is_used() -> None:
    assert faults(a_template("Hello", DEADLINE, title="Until {{ deadline }}")) == []
    assert faults(a_template("Hello", DEADLINE, channels=(("facebook", "{{ deadline }}"),))) == []


def test_the_title_has_no_place_for_the_body() -> None:
    assert faults(a_template("x", title="{{ body }}"))[0].message == 'Nothing is named "body" here.'


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (Field("it", "dat"), 'Field "it" has no type "dat".'),
        (Field("it", "choice"), 'Field "it" has no choices.'),
        (Field("it", "text", choices=("a",)), 'Field "it" has choices but is of type text.'),
        (Field("It", "text"), '"It" cannot be the name of a field.'),
        (Field("a-b", "text"), '"a-b" cannot be the name of a field.'),
        (Field("body", "text"), '"body" cannot be the name of a field.'),
        (Field("title", "text"), '"title" cannot be the name of a field.'),
    ],
)
def test_a_field_that_cannot_work_is_a_fault(field: Field, message: str) -> None:
    assert fault_of("{{ it }}", field).message == message


def test_an_example_has_to_fit_its_own_type() -> None:
    fault = fault_of("{{ it }}", Field("it", "date", example="soon"))
    assert fault.message == "The example of field \"it\" does not fit its own type: A date is expected, not 'soon'."


@pytest.mark.parametrize("channel", ["facebook", "title", "body"])
def test_a_channel_has_one_own_wording(channel: str) -> None:
    template = a_template(channels=(("facebook", "one"), (channel, "two")))
    assert faults(template)[0].message == f'There is a second wording for "{channel}".'


def test_an_own_wording_is_not_empty() -> None:
    assert faults(a_template(channels=(("facebook", " \n"),)))[0].message == 'The own wording of "facebook" is empty.'


def test_a_fault_is_placed_in_the_file_it_was_read_from() -> None:
    template = a_template("x", channels=(("facebook", "one\n{{ two }}"),), places=(Place("facebook", "club.md", 20),))
    assert faults(template)[0].where == "club.md, line 21"


def test_every_fault_is_found_not_only_the_first() -> None:
    found = faults(a_template("{{ one }}\n{{ two }}", title="{{ three }}"))
    assert [fault.message for fault in found] == [
        f'Nothing is named "{name}" here.' for name in ("three", "one", "two")
    ]
