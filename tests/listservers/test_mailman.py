"""The story on a real GNU Mailman: whatever it does with a mail is known."""

import pytest

from tests.listservers.mailman import runs_here
from tests.listservers.stories import STORIES


@pytest.mark.skipif(not runs_here(), reason="GNU Mailman 3.3.10 runs on no Python newer than 3.12")
@pytest.mark.timeout(900)
def test_whatever_a_real_list_server_does_with_a_mail_is_known() -> None:
    """In one, since a server that is started takes longer than all that it is asked."""
    rows = list(STORIES["mailman"].rows(None))
    assert [row for row in rows if not row.is_right] == []
    assert len(rows) >= 27
