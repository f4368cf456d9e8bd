"""What a new module starts from."""
