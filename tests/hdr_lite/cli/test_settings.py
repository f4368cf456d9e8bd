"""The options by which verbs take settings."""

import argparse

import pytest

from hdr_lite.cli.settings import add_settings_arguments, load_settings
from hdr_lite.config import Config, ConfigError, Settings


def _settings(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_settings_arguments(parser)
    return load_settings(parser.parse_args(words))


def test_nothing_given() -> None:
    """Without options everything is as by default."""
    assert _settings() == (Config(), {})


def test_each_option_sets_its_setting() -> None:
    """The short cuts are settings as any other, and their origin is the option."""
    settings = _settings(
        *("-F", "tcp port 80", "--modules-dir", "mine", "-v", "3", "-e", "2", "--flows"),
        *("--disable", "arp", "--disable", "bruteforce", "--set", "ring.size=524288"),
    )
    config = settings.config
    assert config.capture.filter == "tcp port 80"
    assert config.modules.directory == "mine"
    assert config.modules.disable == ("arp", "bruteforce")
    assert (config.output.verbose, config.output.debug, config.output.flows) == (3, 2, True)
    assert config.ring.size == 524288
    assert settings.origins == {
        "capture.filter": "-F",
        "modules.directory": "--modules-dir",
        "modules.disable": "--disable",
        "output.verbose": "-v",
        "output.debug": "-e",
        "output.flows": "--flows",
        "ring.size": "--set ring.size=524288",
    }


def test_the_option_stands_above_set() -> None:
    """-F is nearer to what the user types than --set: it wins."""
    assert _settings("-F", "udp", "--set", "capture.filter=tcp").config.capture.filter == "udp"


@pytest.mark.parametrize("words", [("-v", "4"), ("-e", "-1"), ("--set", "x"), ("-c", "/none")])
def test_mistakes(words: tuple[str, ...]) -> None:
    """What is wrong is a ConfigError, whichever option it came by."""
    with pytest.raises(ConfigError):
        _settings(*words)
