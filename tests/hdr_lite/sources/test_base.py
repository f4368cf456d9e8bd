"""What a source promises is what the one we have keeps."""

import inspect

from hdr_lite.config import UserError
from hdr_lite.sources.base import Source, SourceError
from hdr_lite.sources.capture import CaptureSource


def test_capture_is_a_source() -> None:
    """Every method of the protocol is there with the same parameters."""
    methods = [name for name, value in vars(Source).items() if inspect.isfunction(value)]
    promised = [name for name in methods if not name.startswith("_")]
    assert set(promised) >= {"read", "fileno", "position", "stats", "close"}
    for name in promised:
        wanted = inspect.signature(getattr(Source, name)).parameters
        assert list(inspect.signature(getattr(CaptureSource, name)).parameters) == list(wanted)


def test_a_source_error_is_the_users() -> None:
    """The program ends with its sentence and status 2, not with a traceback."""
    assert issubclass(SourceError, UserError)
