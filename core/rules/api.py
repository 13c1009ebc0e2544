"""Rules in force, for programs."""

from datetime import date

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted
from core.accounts.roles import Can
from core.base.clock import day_of
from core.rules.models import LegalBasis, Rule, RuleCode


class BasisSerializer(serializers.ModelSerializer[LegalBasis]):
    class Meta:
        model = LegalBasis
        fields = ["id", "title_kk", "title_ru", "title_en", "number", "issued_on", "url", "is_confirmed"]


class RuleSerializer(serializers.ModelSerializer[Rule]):
    value = serializers.DictField(help_text="Its shape follows from the code.")
    in_words = serializers.CharField(help_text="The value as one would say it, in the language of the request.")
    basis = BasisSerializer()

    class Meta:
        model = Rule
        fields = ["id", "code", "scope", "value", "in_words", "starts_on", "ends_on", "basis"]


class WhichRules(serializers.Serializer[dict[str, object]]):
    on = serializers.DateField(required=False)
    code = serializers.ChoiceField(choices=RuleCode.choices, required=False)


class RulesInForce(APIView):
    permission_classes = [granted(Can.SEE_RULES)]

    @extend_schema(
        operation_id="rules_in_force",
        parameters=[
            OpenApiParameter("on", date, description="The day asked about; today when left out."),
            OpenApiParameter("code", str, enum=RuleCode.values, description="One kind of rule only."),
        ],
        responses=RuleSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Rules in force on a day. What is not in the list is not allowed."""
        asked = WhichRules(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = Rule.objects.on(asked.validated_data.get("on") or day_of(timezone.now())).select_related("basis")
        if code := asked.validated_data.get("code"):
            found = found.filter(code=code)
        return Response(RuleSerializer(found, many=True).data)


urlpatterns = [path("rules/", RulesInForce.as_view(), name="rules")]
