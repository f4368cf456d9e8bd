"""What flows between the parts: immutable records without behaviour."""
