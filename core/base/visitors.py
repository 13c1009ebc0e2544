"""Who asks, as far as it is counted, and under which hosts the addresses that we print may stand."""

import ipaddress
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)

# An IPv4 address as some proxies write it, with the port behind; an IPv6 one in brackets.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Visitor(NamedTuple):
    """An IPv4 address, or the network of 64 bits of an IPv6 one; and the wider networks about it.

    Of a wider network: how many times as much as one visitor may be asked from all of it.
    """

    name: str
    about: Mapping[str, int]


def visitor_of(request: HttpRequest) -> Visitor:
    """Who asks, for counting."""
    return _visitor_at(request.META.get("REMOTE_ADDR", ""))


def address_of(request: HttpRequest) -> str:
    """The name under which a visitor is counted."""
    return visitor_of(request).name


def network_of(request: HttpRequest) -> str:
    """The network about a visitor, where two addresses may be one person: 256 of IPv4, 48 bits of IPv6."""
    visitor = visitor_of(request)
    return next(iter(visitor.about), visitor.name)


def own_hosts(request: HttpRequest) -> tuple[str, str]:
    """Hosts under which our printed addresses may stand."""
    return (settings.PUBLIC_HOST, request.get_host())


def is_looked_at(request: HttpRequest) -> bool:
    """False when another site had the browser ask: a picture in its page, a frame, a script, a page fetched ahead.

    Whoever asked by hand, followed a link by a click, or came by a camera or another program, looks at the answer.
    Browsers say so in Sec-Fetch-*; those too old to do it name the page they stand on.
    """
    said = request.META
    if "prefetch" in said.get("HTTP_SEC_PURPOSE", said.get("HTTP_PURPOSE", "")):
        return False
    site = said.get("HTTP_SEC_FETCH_SITE")
    if site is None:
        page = said.get("HTTP_REFERER")
        return not page or urlsplit(page).netloc in own_hosts(request)
    if site in ("same-origin", "none"):
        return True
    return said.get("HTTP_SEC_FETCH_DEST") == "document" and said.get("HTTP_SEC_FETCH_USER") == "?1"


def is_sent_by_another_site(request: HttpRequest) -> bool:
    """Whether a page of another site had the browser send this form.

    Browsers say so in Sec-Fetch-Site; those too old to do it name the site in Origin. Other programs say neither.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.META.get("HTTP_ORIGIN")
    return origin is not None and urlsplit(origin).netloc not in own_hosts(request)


@lru_cache(maxsize=20_000)
def _visitor_at(given: str) -> Visitor:
    """Networks of IPv6 are had by the thousand, so the wider ones count too; of IPv4 the 256 addresses beside."""
    if match := _WITH_PORT.fullmatch(given):
        given = match[1] or match[2]
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        log.warning("visitors without an address (%r) are counted as one: is TRUSTED_PROXY_COUNT right?", given)
        return Visitor("unknown", {})
    if isinstance(address, ipaddress.IPv6Address):
        address = _behind(address)
    if isinstance(address, ipaddress.IPv4Address):
        return Visitor(str(address), {_network(address, 24): 8})
    return Visitor(_network(address, 64), {_network(address, 48): 8, _network(address, 32): 64})


def _behind(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that this one stands for (a socket for both protocols, NAT64, 6to4); else itself."""
    embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return address.ipv4_mapped or embedded or address.sixtofour or address


def _network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> str:
    return str(ipaddress.ip_network((int(address), bits), strict=False))
