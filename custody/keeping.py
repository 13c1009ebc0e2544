"""Who keeps which places: the custodian's own people, and an inspection in the State's places of its regions."""

from django.db.models import Q, QuerySet

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from ledger.models import AccountKind, CustodyAccount, StockTake

KEPT = (AccountKind.STORE, AccountKind.EVIDENCE)


def kept_places(user: User) -> QuerySet[CustodyAccount]:
    """Stores and evidence rooms in use in which the person counts, weighs and reads the thermometer."""
    own = Q(custodian__in=user.organisation_ids(Can.KEEP_STORE))
    regions = user.region_codes(Can.OPEN_INTAKE)
    if regions and user.can(Can.KEEP_STORE):
        own |= Q(custodian__kind__in=Organisation.STATE_BODIES, region__in=regions)
    return CustodyAccount.objects.filter(own, kind__in=KEPT, is_active=True).select_related("custodian", "region")


def keeps(user: User, account: CustodyAccount) -> bool:
    """The same question about one place, asked of what is loaded already: no query."""
    if account.kind not in KEPT or not user.can(Can.KEEP_STORE):
        return False
    if account.custodian_id in user.organisation_ids(Can.KEEP_STORE):
        return True
    custodian = account.custodian
    is_state = custodian is not None and custodian.is_state
    return is_state and account.region_id in user.region_codes(Can.OPEN_INTAKE)


def may_count(user: User, stocktake: StockTake) -> bool:
    """Who keeps the place, and everybody of the commission; at most one query."""
    return keeps(user, stocktake.account) or stocktake.members.filter(person=user).exists()


def keeps_key(user: User, key: str) -> bool:
    """Whether the person counts in the stock-take of this key, and so may add photos to it."""
    found = StockTake.objects.select_related("account__custodian").filter(pk=key).first() if key.isdecimal() else None
    return found is not None and may_count(user, found)
