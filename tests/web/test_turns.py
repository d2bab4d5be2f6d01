"""Pages wait their turn, and whoever changes something does not."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
import requests
from fastapi import Depends, FastAPI, Response
from fastapi.responses import StreamingResponse

from outreach.doors.web.serving import served
from outreach.doors.web.wire import in_turn


class Town:
    """An app of three routes, at most two of whose pages are worked on at once."""

    def __init__(self) -> None:
        self.app = FastAPI(dependencies=[Depends(in_turn(2), scope="function")])
        self.gate = threading.Event()
        self.inside = threading.Semaphore(0)
        self.app.get("/slow")(self.slow)
        self.app.post("/slow")(self.quick)
        self.app.get("/broken")(self.broken)
        self.app.get("/long")(self.long)
        self.app.get("/quick")(self.quick)

    def slow(self) -> Response:
        self.inside.release()
        assert self.gate.wait(20)
        return Response("slow")

    def quick(self) -> Response:
        return Response("quick")

    def broken(self) -> Response:
        raise ValueError("it does not work")

    def long(self) -> Response:
        def body() -> Iterator[bytes]:
            yield b"a"
            self.inside.release()
            assert self.gate.wait(20)
            yield b"b"

        return StreamingResponse(body())


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    yield town
    town.gate.set()


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def get(address: str, path: str, method: str = "GET") -> str:
    return requests.request(method, address + path, timeout=30).text


def is_waiting(asked: "Future[str]") -> bool:
    return bool(wait([asked], timeout=0.3).not_done)


def test_a_third_page_waits_until_one_of_two_is_done_and_a_change_does_not(
    town: Town, people: ThreadPoolExecutor
) -> None:
    with served(town.app) as address:
        two = [people.submit(get, address, "/slow") for _ in range(2)]
        for _ in two:
            assert town.inside.acquire(timeout=20)
        third = people.submit(get, address, "/quick")
        assert is_waiting(third)
        assert get(address, "/slow", "POST") == "quick"
        town.gate.set()
        assert [asked.result(20) for asked in (*two, third)] == ["slow", "slow", "quick"]


def test_a_turn_is_given_back_by_a_page_that_breaks_and_before_a_long_answer_is_sent(
    town: Town, people: ThreadPoolExecutor
) -> None:
    with served(town.app) as address:
        assert {get(address, "/broken") for _ in range(3)} == {"Internal Server Error"}
        long = [people.submit(get, address, "/long") for _ in range(3)]
        for _ in long:
            assert town.inside.acquire(timeout=20)
        assert get(address, "/quick") == "quick"
        town.gate.set()
        assert {asked.result(20) for asked in long} == {"ab"}
