"""A look at the tables for administrators. Nothing is written here: every write is a service."""

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can


class RegistryAdminSite(AdminSite):
    """Opens to administrators by role, not by flags; everybody signs in at the one door."""

    site_header = _("Registry of saiga derivatives: tables")
    site_title = _("Tables")
    index_title = _("Tables, to look at")
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.can(Can.MANAGE_PEOPLE)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if isinstance(request.user, User):
            return HttpResponse(_("You are not allowed to do this."), status=403)
        return redirect_to_login(request.GET.get("next", "/admin/"), resolve_url("account_login"))


class ReadOnlyAdmin(ModelAdmin):
    """Lists and shows; adds, changes and deletes nothing."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.can(Can.MANAGE_PEOPLE)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
