"""The seed's example: connections between private addresses."""
