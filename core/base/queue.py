"""The one way to background work: after commit, always."""

from functools import partial

from celery import Task
from django.db import transaction


def after_commit(task: Task, *args: object) -> None:
    """Send `task` with `args` once the present transaction is committed, or never if it is not.

    A broker that is away is no error: what matters is a row that the sweep finds.
    """
    transaction.on_commit(partial(_send, task, *args), robust=True)


def _send(task: Task, *args: object) -> None:
    task.apply_async(args=args, retry=False)
