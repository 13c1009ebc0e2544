"""The web application with bare views beside its own pages: one reads one row by its key, one reads nothing.

To be served as `benchmarks.bare:application`, so that the views and what is compared with it share server, process,
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


def still(request: HttpRequest, code: str) -> HttpResponse:
    return HttpResponse(code)


settings.ROOT_URLCONF = "benchmarks.bare"
urlpatterns = [path("bare/<str:code>", bare), path("still/<str:code>", still), path("", include("config.urls"))]
