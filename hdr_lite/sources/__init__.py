"""Inputs of packets and flows: an interface or a capture file, behind one protocol."""
