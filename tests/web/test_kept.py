"""What is kept in memory is bounded in number, in size and in age."""

from outreach.doors.web.kept import Kept


def test_what_is_kept_is_given_until_it_is_too_old() -> None:
    kept: Kept[str] = Kept(most=3, most_bytes=100, age_s=60)
    kept.put("a", "A", size=1, now_s=0)
    assert kept.get("a", now_s=59.9) == "A"
    assert kept.get("a", now_s=60) is None
    assert kept.get("b", now_s=0) is None


def test_the_first_goes_first_when_there_are_too_many_or_they_are_too_large() -> None:
    kept: Kept[str] = Kept(most=2, most_bytes=100, age_s=60)
    for key in ("a", "b", "c"):
        kept.put(key, key.upper(), size=10, now_s=0)
    assert [kept.get(key, now_s=0) for key in "abc"] == [None, "B", "C"]
    kept.put("d", "D", size=95, now_s=0)
    assert [kept.get(key, now_s=0) for key in "bcd"] == [None, None, "D"]
    kept.put("e", "E", size=101, now_s=0)
    assert [kept.get(key, now_s=0) for key in "de"] == [None, None]


def test_one_of_the_same_key_takes_its_place() -> None:
    kept: Kept[str] = Kept(most=2, most_bytes=100, age_s=60)
    for _ in range(50):
        kept.put("a", "A", size=60, now_s=0)
    kept.put("b", "B", size=40, now_s=0)
    assert (kept.get("a", now_s=0), kept.get("b", now_s=0)) == ("A", "B")
