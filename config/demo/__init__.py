"""Real-shaped demo data: the 2025 season of West Kazakhstan in small, made by the same services as everything else.

The same every time: the numbers come from one seed. `build_demo` makes what `make run` shows; `build_bulk` the large
register for measuring.
"""
