from django.urls import path

from core.accounts import views

app_name = "accounts"
urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/new/", views.add_person, name="add-person"),
    path("people/<int:pk>/", views.person, name="person"),
    path("people/<int:pk>/password-link/", views.make_password_link, name="password-link"),
    path("people/<int:pk>/close/", views.close_account, name="close-account"),
    path("people/<int:pk>/reopen/", views.reopen_account, name="reopen-account"),
    path("people/<int:pk>/roles/new/", views.appoint, name="appoint"),
    path("people/roles/", views.role_requests, name="role-requests"),
    path("people/roles/<int:pk>/", views.role_request, name="role-request"),
    path("roles/<int:pk>/end/", views.end_appointment, name="end-appointment"),
    path("organisations/", views.organisations, name="organisations"),
    path("organisations/new/", views.add_organisation, name="add-organisation"),
    path("organisations/<int:pk>/", views.organisation, name="organisation"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke_token, name="revoke-token"),
    # Stands before Django's own at the same address, so that {% url "set_language" %} leads here.
    path("i18n/setlang/", views.switch_language, name="switch-language"),
]
