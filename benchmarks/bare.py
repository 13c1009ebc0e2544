"""The web application with one bare view beside its own pages: reads one row by its key and says one word.

To be served as `benchmarks.bare:application`, so that the view and what is compared with it share server, process,
settings and middleware.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from config.wsgi import application
from marking.models import Mark

__all__ = ["application"]


def bare(request: HttpRequest, code: str) -> HttpResponse:
    return HttpResponse(Mark.objects.get(pk=code).state)


settings.ROOT_URLCONF = "benchmarks.bare"
urlpatterns = [path("bare/<str:code>", bare), path("", include("config.urls"))]
