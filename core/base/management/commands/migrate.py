"""`migrate`, which does not draw a model and all its relations anew for each constraint, index and trigger."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.core.management.commands import migrate
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Django's own, in a third of the time for a new database.

        What these operations change are options of the model, which the statements of our migrations do not ask the
        drawn model for: each brings its own constraint, index or trigger along. Fields, and the migrations of
        libraries, are drawn as ever.
        """
        with ExitStack() as stack:
            for name in ("_append_option", "_remove_option"):
                stack.enter_context(patch.object(ProjectState, name, _undrawn(getattr(ProjectState, name))))
            for operation in (AddTrigger, RemoveTrigger):
                stack.enter_context(patch.object(operation, "state_forwards", _undrawn(operation.state_forwards)))
            super().handle(*args, **options)


def _undrawn(change: Callable[..., None]) -> Callable[..., None]:
    """The same change of a state, whose drawn models stay as they are where the app is ours."""

    @wraps(change)
    def changed(*args: Any, **options: Any) -> None:
        (state,) = (argument for argument in args if isinstance(argument, ProjectState))
        label = next(argument for argument in args if isinstance(argument, str))
        if _is_ours(label):
            with _as_drawn(state):
                change(*args, **options)
        else:
            change(*args, **options)

    return changed


def _is_ours(label: str) -> bool:
    return not {"site-packages", "dist-packages"}.intersection(Path(apps.get_app_config(label).path).parts)


@contextmanager
def _as_drawn(state: ProjectState) -> Iterator[None]:
    with patch.object(state, "reload_model", lambda *args, **options: None):
        yield
