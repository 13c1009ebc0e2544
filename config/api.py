"""The API: the same services behind versioned addresses."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

v1: list[URLPattern | URLResolver] = [
    path("", include("core.accounts.api")),
    path("", include("core.jobs.api")),
    path("", include("core.rules.api")),
    path("", include("core.notices.api")),
    path("", include("registry.api")),
    path("", include("marking.api")),
    path("", include("permits.api")),
    path("", include("reports.api")),
]

urlpatterns = [
    path("v1/", include((v1, "v1"))),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
