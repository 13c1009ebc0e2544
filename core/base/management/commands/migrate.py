"""`migrate`, which does not draw a model and all its relations anew for each constraint, index and trigger, and leaves
no trigger that can be told to look away or to look elsewhere.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.core.management.commands import migrate
from django.db import Error, connections
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ProjectState
from django.db.models import Field
from pgtrigger.migrations import AddTrigger, RemoveTrigger

from core.base.triggers import NEVER, PATH, led_astray, may_look_away


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Django's own, in a third of the time for a new database.

        What these operations change are options of the model, which the statements of our migrations do not ask the
        drawn model for: each brings its own constraint, index or trigger along. A new model, a new field or another
        form of a plain one is drawn without the models around it, which is all that its own statements ask for; who
        asks for more, as a migration of data does, gets all of them drawn anew. The migrations of libraries are drawn
        as ever, and come first, while there are few models to draw.
        """
        with ExitStack() as stack:
            stack.enter_context(patch.object(MigrationGraph, "leaf_nodes", _ours_last(MigrationGraph.leaf_nodes)))
            for name in ("add_model", "add_field", "alter_field"):
                stack.enter_context(patch.object(ProjectState, name, _drawn_alone(getattr(ProjectState, name))))
            stack.enter_context(patch.object(ProjectState, "reload_model", _all_or_few(ProjectState.reload_model)))
            for name in ("_append_option", "_remove_option"):
                stack.enter_context(patch.object(ProjectState, name, _undrawn(getattr(ProjectState, name))))
            for operation in (AddTrigger, RemoveTrigger):
                stack.enter_context(patch.object(operation, "state_forwards", _undrawn(operation.state_forwards)))
            changes = not (options["plan"] or options["check_unapplied"])
            try:
                super().handle(*args, **options)
            except BaseException:
                if changes:  # what failed half-way has brought the library's answer and functions along too
                    self._fix_triggers_if_possible(options["database"])
                raise
            if changes:
                _fix_triggers(options["database"])

    def _fix_triggers_if_possible(self, database: str) -> None:
        """Where the connection is what failed, it says so beside what is shown of that, not instead."""
        try:
            _fix_triggers(database)
        except Error as error:
            self.stderr.write(f"Triggers may be told to look away until migrate has run again: {error}")


def _fix_triggers(database: str) -> None:
    """Every migration with a trigger brings the library's own function along, and any writes its own anew without a
    path, so this comes after all of them.
    """
    _never_look_away(database)
    _never_look_elsewhere(database)


def _never_look_away(database: str) -> None:
    """Triggers of pgtrigger ask a setting, which whoever is connected may set, whether to look away: no."""
    if may_look_away(database):
        with connections[database].cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean"
                f" LANGUAGE sql IMMUTABLE PARALLEL SAFE AS '{NEVER}'"
            )


def _never_look_elsewhere(database: str) -> None:
    """Triggers ask the tables of the registry, not the temporary ones that whoever is connected may make."""
    if functions := led_astray(database):
        with connections[database].cursor() as cursor:
            cursor.execute(";".join(f"ALTER FUNCTION {function} SET search_path = {PATH}" for function in functions))


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


def _drawn_alone(change: Callable[..., None]) -> Callable[..., None]:
    """The same change of a state, after which only the model itself is drawn anew where the app is ours."""

    @wraps(change)
    def changed(state: ProjectState, first: Any, *args: Any, **options: Any) -> None:
        def draw(app_label: str, model_name: str, delay: bool = False) -> None:
            if "apps" in state.__dict__:
                state.is_delayed = True
                state._reload({(app_label, model_name)})  # type: ignore[attr-defined]

        if _is_ours(first if isinstance(first, str) else first.app_label) and (
            change.__name__ != "alter_field" or _is_plain(args)
        ):
            with patch.object(state, "reload_model", draw):
                change(state, first, *args, **options)
        else:
            change(state, first, *args, **options)

    return changed


def _ours_last(leaf_nodes: Callable[..., list[tuple[str, str]]]) -> Callable[..., list[tuple[str, str]]]:
    """The same leaves, those of libraries first."""

    @wraps(leaf_nodes)
    def sorted_leaves(graph: MigrationGraph, *args: Any) -> list[tuple[str, str]]:
        return sorted(leaf_nodes(graph, *args), key=lambda leaf: _is_ours(leaf[0]))

    return sorted_leaves


def _all_or_few(reload: Callable[..., None]) -> Callable[..., None]:
    """Drawing anew a model with all its relations: all models, where some were drawn alone and know them no more."""

    @wraps(reload)
    def reloaded(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
        if state.is_delayed and not delay:
            state.__dict__.pop("apps", None)
        else:
            reload(state, app_label, model_name, delay)

    return reloaded


def _is_ours(label: str) -> bool:
    return not {"site-packages", "dist-packages"}.intersection(Path(apps.get_app_config(label).path).parts)


def _is_plain(arguments: Iterable[Any]) -> bool:
    """Whether the field among these is one that no other table can point at and that points at none."""
    (field,) = (argument for argument in arguments if isinstance(argument, Field))
    return not (field.is_relation or field.primary_key or field.unique)


@contextmanager
def _as_drawn(state: ProjectState) -> Iterator[None]:
    with patch.object(state, "reload_model", lambda *args, **options: None):
        yield
