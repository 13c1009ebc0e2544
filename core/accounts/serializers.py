"""Regions, organisations and people as the API tells them."""

from rest_framework import serializers

from core.accounts.models import Appointment, Organisation, Region, RoleRequest, User
from core.accounts.roles import Role
from core.accounts.signature import SignedSerializer


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


class RoleRequestSerializer(serializers.ModelSerializer[RoleRequest]):
    """A role that decides, which one person asked for and another decides."""

    user = serializers.CharField(source="user.username", help_text="User name of the person.")
    person = serializers.CharField(source="user.full_name")
    organisation = OrganisationSerializer()
    asked_by = serializers.CharField(source="asked_by.username")
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = RoleRequest
        fields = [
            "id",
            "user",
            "person",
            "organisation",
            "role",
            "regions",
            "valid_from",
            "valid_until",
            "reason",
            "state",
            "asked_by",
            "asked_at",
            "decided_by",
            "decided_at",
        ]


class AskRoleSerializer(SignedSerializer):
    """What is asked for; the password is the signature."""

    user = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.all(), help_text="User name.")
    organisation = serializers.PrimaryKeyRelatedField(queryset=Organisation.objects.all())
    role = serializers.ChoiceField(choices=Role.choices)
    regions = serializers.PrimaryKeyRelatedField(queryset=Region.objects.all(), many=True, required=False)
    valid_from = serializers.DateField(required=False)
    valid_until = serializers.DateField(required=False)
    reason = serializers.CharField(max_length=200)


class DecideRoleSerializer(SignedSerializer):
    """Give the role, or do not."""

    confirm = serializers.BooleanField()
