"""The same install on a sandbox as the work's tests have."""

from tests.work.conftest import box, house, place, still

__all__ = ["box", "house", "place", "still"]
