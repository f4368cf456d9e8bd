"""Tests, the traffic generator and the benchmark."""
