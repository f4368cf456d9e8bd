"""Texts that the engine keeps, though a module made them."""


def own(text: str) -> str:
    """A copy in memory of the engine's, so that the module's budget is not charged for it.

    A ``str`` whatever the text's class is; ``AttributeError`` or ``TypeError`` for what is none.
    """
    copy = text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    if type(copy) is not str:
        raise TypeError(f"text is needed, not {type(text).__name__}")
    return copy
