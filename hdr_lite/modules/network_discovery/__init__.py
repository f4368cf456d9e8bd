"""Scans: one port on many hosts, many ports of one host, sweeps, probes of a system's kind."""
