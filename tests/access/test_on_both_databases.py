"""The ways in on each kind of database: one life from the first admin's link to a closed account."""

import pytest
from pyotp import TOTP

from outreach.access import Access, CodeNeeded, Operator, TooManyTries, Visitor
from outreach.model import BadInput
from outreach.roles import Role
from outreach.store import Store
from outreach.store.channels import settle_community
from tests.access.conftest import OTHER, PASSWORD
from tests.builders import SettableClock

ANN, BEN = "ann@example.org", "ben@example.org"


@pytest.fixture
def access(store: Store, clock: SettableClock) -> Access:
    with store.write() as tx:
        here = settle_community(tx, name="TMM SIG", time_zone="UTC", approval=None, now=clock.now())
    return Access(store=store, community_id=here.id, secret="s", now=clock.now)


def visitor_of(access: Access, key: str) -> Visitor:
    found = access.visitor(key)
    assert found is not None
    return found


def test_people_come_are_let_in_and_go(access: Access, clock: SettableClock) -> None:
    key, ann = access.take_up(access.first_admin_link(), email=ANN, name="Ann", password=PASSWORD)
    by = visitor_of(access, key)
    link = access.invite(BEN, [Role.APPROVER, Role.REVIEWER], by=by)
    assert [(one.email, one.roles) for one in access.invitations()] == [(BEN, ["approver", "reviewer"])]
    ben = access.join(link, name="Ben", password=PASSWORD)
    assert (access.invitations(), access.needs_a_first_admin()) == ([], False)
    assert [(one.called, one.password_at) for one in access.people()] == [("Ann", clock.now()), ("Ben", clock.now())]

    access.set_roles(ben.id, [Role.REVIEWER], by=by)
    assert access.person_called(BEN).roles == {Role.REVIEWER}
    reset = access.reset_link(BEN, by=by)
    assert reset is not None
    with pytest.raises(BadInput, match="Nobody would be an admin"):
        access.close(ann.id, by=by)
    access.close(ben.id, by=by)
    with pytest.raises(BadInput, match="used already"):
        access.join(reset, password=OTHER)
    access.reopen(ben.id, by=Operator())
    assert access.log_in(BEN, PASSWORD, address="192.0.2.1")


def test_guesses_are_counted_and_codes_open_once(access: Access, clock: SettableClock) -> None:
    key, _ = access.take_up(access.first_admin_link(), email=ANN, password=PASSWORD)
    ann = visitor_of(access, key)
    totp = TOTP(access.new_totp(ann).secret)
    access.begin_totp(ann, secret=totp.secret, code=totp.at(clock.now()), password=PASSWORD)
    with pytest.raises(BadInput, match="already"):
        access.begin_totp(visitor_of(access, key), secret=totp.secret, code=totp.at(clock.now()), password=PASSWORD)
    clock.tick(30)

    with pytest.raises(CodeNeeded) as first:
        access.log_in(ANN, PASSWORD, address="192.0.2.1")
    with pytest.raises(CodeNeeded) as second:
        access.log_in(ANN, PASSWORD, address="192.0.2.1")
    whole = access.give_code(first.value.session, totp.at(clock.now()), address="192.0.2.1")
    with pytest.raises(BadInput, match="not right, or was used"):
        access.give_code(second.value.session, totp.at(clock.now()), address="192.0.2.1")
    assert (access.visitor(first.value.session), visitor_of(access, whole).email) == (None, ANN)

    for _ in range(5):
        with pytest.raises(BadInput, match="not right"):
            access.log_in(BEN, PASSWORD, address="192.0.2.1")
    with pytest.raises(TooManyTries) as refused:
        access.log_in(BEN, PASSWORD, address="192.0.2.1")
    assert (refused.value.until - clock.now()).total_seconds() == 15 * 60


def test_sessions_and_tokens_are_listed_and_ended(access: Access, clock: SettableClock) -> None:
    here, _ = access.take_up(access.first_admin_link(), email=ANN, password=PASSWORD, agent="Firefox")
    clock.tick(120)
    there = access.log_in(ANN, PASSWORD, address="", agent="a telephone")
    ann = visitor_of(access, here)
    assert [row.agent for row in access.sessions(ann)] == ["Firefox", "a telephone"]
    access.change_password(ann, old=PASSWORD, new=OTHER)
    assert (access.visitor(there), len(access.sessions(ann))) == (None, 1)

    token = access.new_token(ann, name="a script", scopes=["read"], days=30)
    found = access.visitor_by_token(token)
    assert found is not None
    assert (sorted(found.scopes or ()), access.tokens(ann)[0].used_at) == (["read"], clock.now())
    access.revoke_token(ann, access.tokens(ann)[0].id)
    assert access.visitor_by_token(token) is None
    access.leave_behind(here)
    assert access.visitor(here) is None
