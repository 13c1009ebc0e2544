"""Shapes of what people enter about goods in hand, one module a topic."""
