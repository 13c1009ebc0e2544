"""Which kinds of background work there are, and who does them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from core.jobs.models import Job
    from core.jobs.services import Progress

Runner = Callable[["Job", "Progress"], dict[str, Any]]

RUNNERS: dict[str, Runner] = {}
TITLES: dict[str, StrOrPromise] = {}


def runner(kind: str, title: StrOrPromise) -> Callable[[Runner], Runner]:
    """Declare the function that does jobs of this kind; it must be safe to run again from the start.

    It gets the job and a Progress, and returns the result: JSON values, `{"documents": [{"id": …, "name": …}]}` for
    files to download. It runs outside any transaction. `title` is what people call this work.
    """

    def register(function: Runner) -> Runner:
        RUNNERS[kind] = function
        TITLES[kind] = title
        return function

    return register
