"""Regions, organisations and people as the API tells them."""

from rest_framework import serializers

from core.accounts.models import Appointment, Organisation, Region, User


class RegionSerializer(serializers.ModelSerializer[Region]):
    class Meta:
        model = Region
        fields = ["code", "iso", "name_kk", "name_ru", "name_en"]


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["id", "bin", "kind", "name_kk", "name_ru", "name_en", "region", "is_active"]


class HeldRoleSerializer(serializers.ModelSerializer[Appointment]):
    organisation = OrganisationSerializer()

    class Meta:
        model = Appointment
        fields = ["role", "organisation", "regions", "valid_from", "valid_until"]


class MeSerializer(serializers.ModelSerializer[User]):
    """Who the token or the session speaks for."""

    full_name = serializers.CharField()
    roles = HeldRoleSerializer(source="appointments_in_force", many=True)
    can = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "full_name", "language", "roles", "can"]

    def get_can(self, user: User) -> list[str]:
        """Capabilities by name, sorted."""
        return sorted(str(act) for act in user.capabilities)
