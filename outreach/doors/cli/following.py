"""The command that lets a channel tell by itself: channels follow."""

from typing import Annotated

import typer

from outreach.doors.cli.output import Actor, AsJson, actor, opened, print_json, say, verb


@verb
def follow_channel(
    name: Annotated[str, typer.Argument(help="The Page, such as facebook.")],
    person: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Let Facebook tell of what happens on the Page, besides whatever else it tells.

    Example: [cyan]outreach channels follow facebook[/cyan]
    """
    with opened() as house:
        fields = house.desk.follow(name, house.new_channels().get(name), person=actor(person, house))
        address = f"{house.settings.OUTREACH_BASE_URL.rstrip('/')}/hooks/facebook"
        is_heard = bool(house.settings.FACEBOOK_WEBHOOK_VERIFY_TOKEN.get_secret_value())
    if as_json:
        print_json({"channel": name, "fields": list(fields), "address": address, "is_heard": is_heard})
        return
    say(f"Facebook tells of: {', '.join(fields)}.", style="green")
    if is_heard:
        say(f"In the app's settings, under Webhooks, its address is {address}")
    else:
        say("Nobody hears it yet: set FACEBOOK_WEBHOOK_VERIFY_TOKEN to a word of your own and start again.")
