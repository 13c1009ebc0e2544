"""Starting several acts at the same moment, each in its own thread and database connection."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection

from core.base.errors import DomainError


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run every act, started together; what each returned, or the refusal or database error it raised."""
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(index: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            results[index] = act()
        except (DomainError, DatabaseError) as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def winners(results: list[Any]) -> list[Any]:
    return [result for result in results if not isinstance(result, Exception)]
