"""The bed that most tests share."""

from collections.abc import Iterator

import pytest

from tests.netns.bed import Bed, bed


@pytest.fixture(scope="module")
def net() -> Iterator[Bed]:
    """One router for all tests of a file; each removes its tables, or the file's fixture does."""
    with bed() as made:
        yield made
