"""`python -m outreach` is `outreach`."""

from outreach.doors.cli import main

main()
