"""Which settings there are: each has a meaning, a default that it may be, and a section."""

from dataclasses import fields

from hdr_lite.config import Config, Override, allowed, load, sections, settings_of


def test_every_default_is_allowed() -> None:
    """Each setting has a meaning and accepts its own default when it is given in a file."""
    for section, part in sections().items():
        for name, f in settings_of(part).items():
            assert f.metadata["meaning"]
            assert allowed(f)
            load(None, [Override(f"{section}.{name}", f.default, "test")])


def test_every_part_is_a_section() -> None:
    """No field of Config is left out of the file's sections."""
    assert list(sections()) == [f.name for f in fields(Config)]
