"""What was uploaded unseen for a post: kept so that a crash between upload and post wastes nothing."""

import logging
from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from outreach.channels import Upload
from outreach.store.engine import Store, StoreTrouble
from outreach.store.schema import uploads

log = logging.getLogger(__name__)


class StoredUploads:
    """Keeps uploads in the database. What cannot be kept is uploaded again at the next try: it is never in the way."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, post_id: int) -> Mapping[int, Upload]:
        """Give them by their place in the post; none where the database cannot say."""
        columns = (uploads.c.place, uploads.c.key, uploads.c.remote_id, uploads.c.at)
        try:
            with self._store.read() as tx:
                rows = tx.execute(select(*columns).where(uploads.c.post_id == post_id)).all()
        except StoreTrouble as trouble:
            log.warning("uploads of post %d are not known: %s", post_id, type(trouble).__name__)
            return {}
        return {place: Upload(key, remote_id, at) for place, key, remote_id, at in rows}

    def keep(self, post_id: int, place: int, upload: Upload) -> None:
        """Keep one in place of an earlier one."""
        row = {"post_id": post_id, "place": place, "key": upload.key, "remote_id": upload.remote_id, "at": upload.at}
        try:
            with self._store.write() as tx:
                tx.execute(delete(uploads).where(uploads.c.post_id == post_id, uploads.c.place == place))
                tx.execute(insert(uploads), row)
        except StoreTrouble as trouble:
            log.warning("an upload of post %d is not kept: %s", post_id, type(trouble).__name__)

    def forget(self, post_id: int) -> None:
        """Let go of all of a post."""
        try:
            with self._store.write() as tx:
                tx.execute(delete(uploads).where(uploads.c.post_id == post_id))
        except StoreTrouble as trouble:
            log.warning("uploads of post %d are still kept: %s", post_id, type(trouble).__name__)
