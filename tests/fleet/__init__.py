"""A fleet's servers on this machine: PostgreSQL, a NATS cluster, the collector's processes."""
