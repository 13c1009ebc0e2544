"""What administrators may look at as tables."""

from django.contrib import admin

from core.accounts.admin_site import ReadOnlyAdmin
from core.accounts.models import Appointment, Organisation, Region, User


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["username", "full_name", "email", "is_active", "last_login"]
    search_fields = ["username", "last_name", "first_name", "email"]
    exclude = ["password", "groups", "user_permissions", "is_superuser", "is_staff"]


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin):
    list_display = ["bin", "name_kk", "kind", "region", "is_active"]
    list_filter = ["kind", "is_active"]
    search_fields = ["bin", "name_kk", "name_ru", "name_en"]


@admin.register(Appointment)
class AppointmentAdmin(ReadOnlyAdmin):
    list_display = ["user", "role", "organisation", "valid_from", "valid_until", "ended_at"]
    list_filter = ["role"]


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin):
    list_display = ["code", "iso", "name_kk", "name_ru", "name_en"]
