"""The command that looks at trouble: alarms."""

from datetime import datetime
from typing import Annotated, Any

import typer

from outreach.doors.cli.output import AsJson, opened, print_json, say, table, verb


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Look")(alarms)


@verb
def alarms(
    test: Annotated[bool, typer.Option("--test", help="Send a test alarm by every route that is set up.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what is wrong now and what was lately, each with its next step.

    Example: [cyan]outreach alarms --test[/cyan]
    """
    with opened() as house:
        if test:
            _test(house, as_json=as_json)
            return
        now, before = _now(house), _before(house)
        zone = house.settings.OUTREACH_TIME_ZONE
    if as_json:
        print_json({"now": now, "over": before})
        return
    for alarm in now:
        say(f"✗ {alarm['kind']}: {alarm['message']}", style="red")
        say(f"    {alarm['next']}")
    if not now:
        say("Nothing is wrong that anybody has to be told of.", style="green")
    rows = [(_shown(alarm["ended_at"], zone), alarm["kind"], alarm["message"]) for alarm in before]
    if rows:
        say("\nOver:", style="bold")
        table(("since", "what", "what it said"), rows, empty="", whole=2)


def _test(house: Any, *, as_json: bool) -> None:
    from outreach.alarms.words import trial_note  # start-up time

    note = trial_note(house.settings.OUTREACH_COMMUNITY)
    answers = [{"route": route.name, "problem": route.tell(note)} for route in house.routes.all]
    if as_json:
        print_json({"routes": [{"route": a["route"], "ok": a["problem"] is None} | a for a in answers]})
    for answer in [] if as_json else answers:
        taken = answer["problem"] is None
        words = "taken" if taken else f"not taken: {answer['problem']}"
        say(f"{'✓' if taken else '✗'} {answer['route']}: {words}", style="green" if taken else "red")
    if not answers and not as_json:
        say("No route is set up: trouble is told only in the log. Set OUTREACH_ALERT_EMAIL.", style="red")
    if not answers or any(answer["problem"] for answer in answers):
        raise typer.Exit(1)


def _now(house: Any) -> list[dict[str, Any]]:
    """Give what is wrong now, looked for here and not by a worker, with when it was raised and told if it was."""
    from outreach.store import alarms as stored  # start-up time

    found = house.alarms.look()
    with house.store.read() as tx:
        rows = {row.cause: row for row in stored.open_ones(tx)}
    return [
        {
            "kind": str(alarm.kind),
            "message": alarm.message,
            "next": alarm.next_step,
            "raised_at": _instant(rows[alarm.cause].raised_at) if alarm.cause in rows else None,
            "told_at": _instant(rows[alarm.cause].told_at) if alarm.cause in rows else None,
        }
        for alarm in found
    ]


def _before(house: Any) -> list[dict[str, Any]]:
    from outreach.store import alarms as stored  # start-up time

    with house.store.read() as tx:
        rows = stored.recent(tx, most=20)
    return [
        {
            "kind": str(row.kind),
            "message": row.message,
            "next": row.next_step,
            "raised_at": _instant(row.raised_at),
            "told_at": _instant(row.told_at),
            "ended_at": _instant(row.ended_at),
        }
        for row in rows
    ]


def _instant(at: datetime | None) -> str | None:
    from outreach.doors.shapes import instant  # start-up time

    return instant(at)


def _shown(at: str, zone: str) -> str:
    from outreach.when import show  # start-up time

    return show(datetime.fromisoformat(at), zone)
