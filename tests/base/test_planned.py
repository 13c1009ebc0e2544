"""Statements planned once for a connection."""

import pytest
from django.db import DatabaseError, connection, transaction

from core.base.planned import fetch_one

pytestmark = pytest.mark.django_db


def planned() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements")
        return [name for (name,) in cursor.fetchall()]


def test_it_plans_once_and_answers_each_value() -> None:
    statement = "SELECT $1 || '-' || $2 WHERE $2 <> ''"

    assert fetch_one("joined", statement, ["a", "b"]) == ("a-b",)
    assert fetch_one("joined", statement, ["it's", "%s"]) == ("it's-%s",)
    assert fetch_one("joined", statement, ["a", ""]) is None
    assert planned().count("joined") == 1


def test_a_plan_outlives_a_rollback() -> None:
    with transaction.atomic():
        fetch_one("kept", "SELECT $1", ["first"])
        transaction.set_rollback(True)

    assert fetch_one("kept", "SELECT $1", ["after a rollback"]) == ("after a rollback",)


@pytest.mark.django_db(transaction=True)
def test_a_fresh_connection_plans_anew() -> None:
    fetch_one("anew", "SELECT $1", ["old"])
    connection.close()

    assert fetch_one("anew", "SELECT $1", ["new"]) == ("new",)


def test_a_statement_that_cannot_be_planned_is_an_error_of_the_database() -> None:
    for _attempt in range(2):
        with pytest.raises(DatabaseError), transaction.atomic():
            fetch_one("wrong", "SELECT $1 FROM nowhere", ["a"])
