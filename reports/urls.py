from django.urls import path, re_path

from reports.views import find, home, illegal_trade, item, items, journal, label_stock, season, statements, stock

app_name = "reports"
urlpatterns = [
    path("", home.home, name="home"),
    path("find/", find.find, name="find"),
    path("stock/", stock.stock, name="stock"),
    re_path(r"^stock/stock\.(?P<fmt>csv|xlsx)$", stock.stock_file, name="stock-file"),
    path("items/", items.items, name="items"),
    path("items/totals/", items.item_totals, name="item-totals"),
    re_path(r"^items/items\.(?P<fmt>csv|xlsx)$", items.items_file, name="items-file"),
    path("items/<int:pk>/", item.item, name="item"),
    path("seasons/<int:pk>/progress/", season.season, name="season"),
    re_path(r"^seasons/(?P<pk>\d+)/progress/season\.(?P<fmt>csv|xlsx)$", season.season_file, name="season-file"),
    path("journal/", journal.journal, name="journal"),
    re_path(r"^journal/journal\.(?P<fmt>csv|xlsx)$", journal.journal_file, name="journal-file"),
    re_path(r"^cases/report/(?P<year>20\d\d)\.xlsx$", illegal_trade.illegal_trade_of_year, name="illegal-trade"),
    re_path(r"^labels/stock/labels\.(?P<fmt>csv|xlsx)$", label_stock.label_stock_file, name="label-stock-file"),
    path("statements/", statements.statements, name="statements"),
    path("statements/<int:pk>/", statements.statement, name="statement"),
    re_path(
        r"^statements/(?P<pk>\d+)/(?P<fmt>pdf|xlsx|csv|movements)/$",
        statements.statement_file,
        name="statement-file",
    ),
]
