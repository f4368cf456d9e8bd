"""TODO(docstring by its author)"""
