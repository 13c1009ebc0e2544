"""The snapshot for phones without network: public, because it names no code, holder or place.

`/m/snapshot.json` says which edition there is; `/m/snapshot.bin` is all of it; `/m/snapshot/7.bin` is what edition 7
changed.
"""

from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from core.base.ratelimit import allow
from core.base.visitors import address_of
from marking.limits import SNAPSHOTS, WINDOW_SECONDS
from marking.models import Snapshot
from marking.refusals import note_refusal
from marking.selectors import newest_snapshot

Answer = TypeVar("Answer", bound=HttpResponseBase)
BINARY = "application/octet-stream"
# Editions are hourly: a copy on the way may be ten minutes old.
_FRESH = "public, max-age=600"
_FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def snapshot_index(request: HttpRequest) -> JsonResponse:
    """The newest edition, and from which one on changes are kept."""
    newest = newest_snapshot()
    if newest is None:
        raise Http404
    return _public(JsonResponse(newest), "public, max-age=60")


@require_safe
def snapshot(request: HttpRequest) -> HttpResponseBase:
    """All marks of the newest edition: megabytes, so one address gets them so often only."""
    newest = _editions().exclude(full=None).first()
    if newest is None:
        raise Http404
    etag = f'"{newest.edition}"'
    if request.headers.get("If-None-Match") == etag:
        return _public(HttpResponseNotModified(), _FRESH)
    if not allow(f"snapshot:{address_of(request)}", limit=SNAPSHOTS, seconds=WINDOW_SECONDS):
        note_refusal("snapshot", address_of(request))
        refused = HttpResponse(status=429)
        refused["Retry-After"] = str(WINDOW_SECONDS)
        return refused
    content = Snapshot.objects.values_list("full", flat=True).get(pk=newest.pk)
    answer = HttpResponse(content or b"", content_type=BINARY)
    answer["ETag"] = etag
    return _public(answer, _FRESH)


@require_safe
def snapshot_changes(request: HttpRequest, edition: int) -> HttpResponse:
    """What this edition changed upon the one before."""
    content = Snapshot.objects.filter(pk=edition).exclude(changes=b"").values_list("changes", flat=True).first()
    if content is None:
        raise Http404
    return _public(HttpResponse(content, content_type=BINARY), _FOR_GOOD)


def _editions() -> QuerySet[Snapshot]:
    return Snapshot.objects.defer("full", "changes")


def _public(answer: Answer, caching: str) -> Answer:
    answer["Cache-Control"] = caching
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
