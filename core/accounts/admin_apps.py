"""Django's admin, behind the registry's own door. Named in INSTALLED_APPS instead of django.contrib.admin."""

from django.contrib.admin.apps import AdminConfig


class RegistryAdminConfig(AdminConfig):
    default_site = "core.accounts.admin_site.RegistryAdminSite"
    default = False
