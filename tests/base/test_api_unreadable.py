import base64

import pytest
from django.test import Client

from core.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["organisations/?bin=%00", "organisations/?cursor=" + base64.b64encode(b"p=%00").decode()]
)
def test_it_answers_a_nul_in_the_address_as_bad_input(address: str, client: Client, administrator: User) -> None:
    client.force_login(administrator)

    assert 400 <= client.get(f"/api/v1/{address}").status_code < 500


@pytest.mark.parametrize("body", ["[" * 100_000, '{"name": "\\u0000", "days": 5}'])
def test_it_answers_an_unreadable_body_as_bad_input(body: str, client: Client, administrator: User) -> None:
    client.force_login(administrator)

    answer = client.post("/api/v1/tokens/", body, content_type="application/json")

    assert 400 <= answer.status_code < 500
