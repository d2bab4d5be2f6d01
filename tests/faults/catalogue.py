"""All cases in the order of their numbers."""

from tests.faults import clock_cases, graph_cases, kill_cases, mail_cases, people_cases, surrounding_cases
from tests.faults.cases import Case

CASES: tuple[Case, ...] = tuple(
    sorted(
        (
            *kill_cases.CASES,
            *graph_cases.CASES,
            *surrounding_cases.CASES,
            *clock_cases.CASES,
            *mail_cases.CASES,
            *people_cases.CASES,
        ),
        key=lambda case: case.number,
    )
)
SOAK = 99
