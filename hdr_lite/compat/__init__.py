"""Modules written for Slips run here unchanged; nothing of it is loaded for the others."""
