"""Two people enter the same thing at the same moment: the second gets a sentence, not an error page."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from core.base.errors import DomainError


@contextmanager
def refuse_known(refusals: Mapping[str, DomainError]) -> Iterator[None]:
    """Raise the refusal whose key is in the name of the unique constraint that the block breaks.

    The transaction around stays usable. A violation with no refusal is passed on as it is.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, UniqueViolation):
            for part, refusal in refusals.items():
                if part in (cause.diag.constraint_name or ""):
                    raise refusal from error
        raise
