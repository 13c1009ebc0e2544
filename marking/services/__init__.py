"""Every write of the marking room: keys, marks, labels."""
