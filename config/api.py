"""The API: the same services behind versioned addresses."""

from csp.decorators import csp_update
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.results import JobDocument
from core.base.api import NoSuchAddress

v1: list[URLPattern | URLResolver] = [
    path("", include("core.accounts.api")),
    path("", include("core.jobs.api")),
    path("jobs/<uuid:pk>/documents/<uuid:document_id>/", JobDocument.as_view(), name="job-document"),
    path("", include("core.rules.api")),
    path("", include("core.notices.api")),
    path("", include("core.documents.api")),
    path("", include("registry.api")),
    path("", include("registry.api_seasons")),
    path("", include("marking.api")),
    path("", include("marking.api_checks")),
    path("", include("marking.api_printing")),
    path("", include("marking.api_stock")),
    path("", include("marking.api_carriers")),
    path("", include("marking.api_field")),
    path("", include("custody.api")),
    path("", include("permits.api")),
    path("", include("reports.api")),
    path("", include("reports.api_season")),
]

# The page that draws the schema brings its own styles in its markup; nowhere else are these allowed.
docs = csp_update({"style-src": ["'self'", "'unsafe-inline'"]})(
    SpectacularSwaggerSplitView.as_view(url_name="api-schema")
)

urlpatterns = [
    path("v1/", include((v1, "v1"))),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", docs, name="api-docs"),
    re_path("", NoSuchAddress.as_view()),
]
