"""Guessing of ssh passwords: by one source, slowly, at many servers, or by many sources."""
