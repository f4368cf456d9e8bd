"""The sensor: packets from the sources, through the meter, into the ring."""
