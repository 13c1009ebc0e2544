"""Find: one box that takes any mark, any number of ours, or words."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.subjects import label_of
from reports.find import LONGEST_TEXT, find_named, find_stores, find_words, understand


@require_safe
def find(request: HttpRequest) -> HttpResponseBase:
    """Straight to the one thing that is meant; a visitor who is not signed in goes to the public check of a mark."""
    if isinstance(request.user, User):
        return _find(request)
    understood = understand(request.GET.get("q", ""), own_hosts=(request.get_host(),))
    if understood.code:
        return redirect("marking:check", understood.code)
    return redirect(f"{resolve_url('account_login')}?{urlencode({'next': request.get_full_path()})}")


@requires()
def _find(request: SignedInRequest) -> HttpResponseBase:
    text = request.GET.get("q", "").strip()[:LONGEST_TEXT]
    understood = understand(text, own_hosts=(request.get_host(),))
    matches = find_named(request.user, understood)
    if len(matches) == 1:
        return redirect(matches[0].url)
    if understood.code:
        # Not an item this person may know: the public check says what anybody may know.
        return redirect("marking:check", understood.code)
    groups = [
        {
            "kind": kind,
            "label": label_of(kind),
            "rows": found,
        }
        for kind, found in find_words(request.user, text).items()
    ]
    if matches:
        groups.insert(0, {"kind": "derivative", "label": label_of("derivative"), "rows": matches})
    context = {
        "find_text": text,
        "number": understood.number,
        "groups": groups,
        "stores": find_stores(request.user, text),
    }
    return render(request, "reports/find.html", context)
