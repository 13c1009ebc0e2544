"""What doors of this room say and how they recognise a scanner: as in the room of custody."""

from core.base.visitors import own_hosts
from custody.doors import chosen_items, say_refusal, wants_part

__all__ = ["chosen_items", "own_hosts", "say_refusal", "wants_part"]
