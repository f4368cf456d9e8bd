"""Acceptance: a folder per case, with what goes in and what must come out.

``NAME/README.md`` says what is tested and why, ``NAME/case.toml`` how (see ``case``).
"""
