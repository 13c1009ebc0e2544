"""What doors of this room say and how they recognise a scanner: as in the room of custody."""

from custody.doors import chosen_items, own_hosts, say_refusal, wants_part

__all__ = ["chosen_items", "own_hosts", "say_refusal", "wants_part"]
