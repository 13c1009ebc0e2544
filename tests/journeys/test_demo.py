"""What the demo shows: something real on every list of everybody's menu."""

import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from django.urls import reverse

from config.demo.cast import PASSWORD, PEOPLE
from config.navigation import MENUS, Section
from core.accounts.roles import GRANTS, Role

# Nothing of an inspection is lost in the demo, and no key of it is compromised.
EMPTY = {
    (Role.INSPECTOR, "custody:losses"),
    # The second administrator has keys of programs to give out, and has given none yet.
    (Role.ADMINISTRATOR, "accounts:tokens"),
    *((role, "marking:unproven") for role in Role),
}


def addresses_of(role: Role) -> Iterator[tuple[str, str]]:
    """The pages that the menu shows to somebody of this role alone."""
    for line in MENUS[role]:
        for page in line.pages if isinstance(line, Section) else (line,):
            if not page.needs or GRANTS[role].intersection(page.needs):
                yield page.url_name, reverse(page.url_name)


def signed_in(system: str, username: str) -> OpenerDirector:
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))
    address = f"{system}/accounts/login/"
    opener.open(address).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    fields = urlencode({"login": username, "password": PASSWORD, "csrfmiddlewaretoken": token})
    answer = opener.open(address, fields.encode())
    assert "/accounts/login/" not in answer.url, username
    return opener


@pytest.mark.parametrize(("username", "role"), [(name, role) for name, *_names, role, _office in PEOPLE], ids=str)
def test_no_list_of_the_menu_is_empty(system: str, username: str, role: Role) -> None:
    opener = signed_in(system, username)
    empty = []
    for name, address in addresses_of(role):
        page = opener.open(system + address).read().decode()
        content = re.sub(r"(?s)<(nav|header|aside)\b.*?</\1>", "", page)
        if 'class="nothing"' in content and "<tbody" not in content and (role, name) not in EMPTY:
            empty.append(address)

    assert empty == []
