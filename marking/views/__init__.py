"""Doors of the marking room."""
