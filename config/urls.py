"""Every address of the system."""

from django.contrib import admin
from django.urls import include, path

from config.results import job_document
from core.jobs.urls import urlpatterns as job_pages

job_file = path("<uuid:pk>/documents/<uuid:document_id>/", job_document, name="document")

urlpatterns = [
    path("", include("reports.urls")),
    path("", include("ledger.urls")),
    path("", include("registry.urls")),
    path("", include("marking.urls")),
    path("", include("custody.urls")),
    path("", include("permits.urls")),
    path("jobs/", include(([*job_pages, job_file], "jobs"))),
    path("notices/", include("core.notices.urls")),
    path("files/", include("core.documents.urls")),
    path("rules/", include("core.rules.urls")),
    path("", include("core.accounts.urls")),
    path("", include("core.base.urls")),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("config.api")),
    path("admin/", admin.site.urls),
]
