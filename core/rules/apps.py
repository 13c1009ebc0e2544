from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "core.rules"
    label = "rules"
