"""The large register is made batch by batch, each for the same number of statements."""

from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.demo import build
from ledger.models import Holding
from ledger.selectors import find_differences
from marking.models import Mark
from registry.models import Derivative


@pytest.mark.django_db
def test_every_batch_costs_as_many_statements_as_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "BATCH", 40)
    costs: list[int] = []

    with CaptureQueriesContext(connection) as queries:
        build.build_bulk(9 * 40 - 7, say=lambda _text: costs.append(len(queries)))

    each = [after - before for before, after in pairwise(costs)]
    sent = [cost for number, cost in enumerate(each, start=1) if number % 3]
    assert max(sent) - min(sent) <= 4, sent
    assert max(sent) < 200
    assert Derivative.objects.count() == Mark.objects.active().count() == 9 * 40 - 7
    assert Holding.objects.filter(account__code="CS-75", pieces__gt=0).count() > 200
    assert find_differences() == {}
