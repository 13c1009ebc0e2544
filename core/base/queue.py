"""The one way to background work: after commit, always."""

import logging

from celery import Task
from django.db import transaction

log = logging.getLogger(__name__)


def after_commit(task: Task, *args: object) -> None:
    """Send `task` with `args` once the present transaction is committed, or never if it is not.

    A broker that is away is no error: what matters is a row that the sweep finds.
    """

    def send() -> None:
        try:
            task.apply_async(args=args, retry=False)
        except Exception:
            # Each broker's library has its own words for "away".
            log.warning("%s%s not sent; the sweep will find it", task.name, args, exc_info=True)

    transaction.on_commit(send, robust=True)
