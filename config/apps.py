from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Carries the commands that need the whole system."""

    name = "config"
