"""A collector in a process of its own, and devices that report to it."""
