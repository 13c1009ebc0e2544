"""Pages of stores, stock-takes, climate and weighing."""

from django.urls import path, re_path

from custody.views import climate, stocktakes, stores, weighings

urlpatterns = [
    path("stores/", stores.stores, name="stores"),
    path("stores/<int:pk>/", stores.store, name="store"),
    path("stores/<int:pk>/climate/", climate.climate, name="climate"),
    path("stores/<int:pk>/climate/watch/", climate.watch, name="climate-watch"),
    path("stores/<int:pk>/weigh/", weighings.weigh, name="weigh"),
    path("stores/<int:pk>/weigh/sheet/", weighings.weigh_sheet, name="weigh-sheet"),
    path("weighings/", weighings.choose, name="weighings"),
    path("weighings/<int:pk>/", weighings.weighing, name="weighing"),
    path("weighings/<int:pk>/settle/", weighings.settle, name="weighing-settle"),
    path("stock-takes/", stocktakes.stocktakes, name="stocktakes"),
    path("stock-takes/new/", stocktakes.open_stocktake, name="open-stocktake"),
    path("stock-takes/<int:pk>/", stocktakes.stocktake, name="stocktake"),
    path("stock-takes/<int:pk>/progress/", stocktakes.progress, name="stocktake-progress"),
    path("stock-takes/<int:pk>/scan/", stocktakes.scan, name="stocktake-scan"),
    path("stock-takes/<int:pk>/scan/undo/", stocktakes.undo, name="stocktake-undo"),
    path("stock-takes/<int:pk>/scan/no-shelf/", stocktakes.leave_shelf, name="stocktake-no-shelf"),
    path("stock-takes/<int:pk>/draw/", stocktakes.draw, name="stocktake-draw"),
    path("stock-takes/<int:pk>/end/", stocktakes.end, name="stocktake-end"),
    path("stock-takes/<int:pk>/again/", stocktakes.again, name="stocktake-again"),
    path("stock-takes/<int:pk>/sign/", stocktakes.sign, name="stocktake-sign"),
    path("stock-takes/<int:pk>/cancel/", stocktakes.cancel, name="stocktake-cancel"),
    path("stock-takes/<int:pk>/frame.csv", stocktakes.frame, name="stocktake-frame"),
    re_path(r"^stock-takes/(?P<pk>\d+)/inventory\.(?P<fmt>pdf|xlsx|csv)$", stocktakes.inventory, name="stocktake-file"),
]
