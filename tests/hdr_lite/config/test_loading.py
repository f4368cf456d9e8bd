"""Loading settings: values, origins, and every mistake as one sentence."""

import json
from pathlib import Path

import pytest

from hdr_lite.config import Config, ConfigError, Override, flatten, load, parse_override, restore
from hdr_lite.config.loading import line_of

FILE = """\
# a comment
[meter]
flows = 1024
tcp_idle = 60

[detection]
home = [
  "192.168.7.0/24",
]
[modules]
disable = ["arp"]

[modules.network_discovery]
minimum = 3
"""


def _write(folder: Path, text: str) -> str:
    path = folder / "hdr-lite.toml"
    path.write_text(text)
    return str(path)


def test_defaults() -> None:
    """Nothing given is every default, and comes from nowhere."""
    settings = load()
    assert settings.config == Config()
    assert settings.origin("meter.flows") == "default"


def test_file_with_origins(tmp_path: Path) -> None:
    """Values of a file, numbers as the field's type, each with its line."""
    path = _write(tmp_path, FILE)
    settings = load(path)
    config = settings.config
    assert (config.meter.flows, config.meter.tcp_idle) == (1024, 60.0)
    assert type(config.meter.tcp_idle) is float
    assert config.detection.home == ("192.168.7.0/24",)
    assert config.modules.disable == ("arp",)
    assert config.modules.options == {"network_discovery": {"minimum": 3}}
    assert settings.origin("meter.flows") == f"{path}:3"
    assert settings.origin("detection.home") == f"{path}:7"
    assert settings.origin("modules.network_discovery.minimum") == f"{path}:14"


def test_overrides_win_and_add(tmp_path: Path) -> None:
    """The command line stands above the file; a list can be added to."""
    path = _write(tmp_path, FILE)
    overrides = [
        parse_override("meter.flows=2048"),
        Override("modules.disable", ("bruteforce", "arp"), "--disable", add=True),
        parse_override("modules.arp.quiet=true"),
    ]
    settings = load(path, overrides)
    assert settings.config.meter.flows == 2048
    assert settings.origin("meter.flows") == "--set meter.flows=2048"
    assert settings.config.modules.disable == ("arp", "bruteforce")
    assert settings.config.modules.options["arp"] == {"quiet": True}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("meter.flows=5", 5),
        ("meter.tcp_idle = 1.5", 1.5),
        ("capture.promiscuous=false", False),
        ("capture.filter=tcp port 80", "tcp port 80"),
        ("capture.filter='tcp'", "tcp"),
        ("capture.filter=", ""),
        ("modules.directory=2024", "2024"),
        ('detection.home=["10.0.0.0/8"]', ["10.0.0.0/8"]),
        ("modules.x.y=word", "word"),
    ],
)
def test_set_values(text: str, value: object) -> None:
    """--set takes TOML values and bare words; a text setting takes any word as it is."""
    assert parse_override(text).value == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[metre]\nflows = 1", ":2: unknown section 'metre': the nearest is 'meter'; allowed are"),
        ("[meter]\n\nflow = 1", ":3: unknown key 'meter.flow': the nearest is 'meter.flows'"),
        ("meter = { flow = 1 }", ":1: unknown key 'meter.flow'"),
        ("meter.flow = 1", ":1: unknown key 'meter.flow'"),
        ("meter = 5", ":1: 'meter' is a section, not a setting"),
        ("[meter.flows]\nx = 1", ":2: unknown key 'meter.flows.x'"),
        ("[meter]\nflows = 'many'", ":2: meter.flows must be a whole number from 64 to 4194304"),
        ("[meter]\nflows = true", ":2: meter.flows must be"),
        ("[meter]\nflows = 64.0", ":2: meter.flows must be"),
        ("[meter]\nflows = 63", ":2: meter.flows must be"),
        ("[meter]\ntcp_idle = nan", ":2: meter.tcp_idle must be a number from 1 to 86400"),
        ("[ring]\nsize = 300000", ":2: ring.size must be a power of two from 262144"),
        ("[capture]\npromiscuous = 1", ":2: capture.promiscuous must be true or false, not 1"),
        ("[capture]\nfilter = 1", ":2: capture.filter must be text, not 1"),
        ("[modules]\ndisable = 'arp'", ":2: modules.disable must be a list of texts, not 'arp'"),
        ("[modules]\ndisable = [1]", ":2: modules.disable must be a list of texts"),
        ("[modules]\ndisabled = []", ":2: unknown key 'modules.disabled': the nearest is"),
        ("[detection]\nhome = ['10.0.0.1/8']", ":2: detection.home must be a list of networks"),
        ("[capture]\nlogin_ports = ['0']", ":2: capture.login_ports must be a list of ports such"),
        ("[capture]\nlogin_ports = ['65536']", ":2: capture.login_ports must be a list of ports"),
        ("[capture]\nlogin_ports = ['ssh']", ":2: capture.login_ports must be a list of ports"),
        ("[capture]\nlogin_ports = [22]", ":2: capture.login_ports must be a list of ports"),
        ("[capture]\nlogin_packets = 3", ":2: capture.login_packets must be a whole number from 4"),
        ("[meter\nflows = 1", ":1: not valid TOML: expected ']'"),
        ("[meter]\nflows = ", ":2: not valid TOML: invalid value"),
        ("[meter]\nflows = 64\nflows = 65", ":3: not valid TOML: cannot overwrite a value"),
        ("[meter]\nflows = [", ":2: not valid TOML"),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, text: str, sentence: str) -> None:
    """Every mistake names file, line, key and what is allowed, in one line."""
    path = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(path + sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("meter.flows", "expected section.key=value"),
        ("=5", "expected section.key=value"),
        ("meter.flows=", "must be a whole number from 64"),
        ("meter.flows=[1", "the value is not valid TOML"),
        ("flows=5", "unknown section 'flows'"),
        ("meter=5", "'meter' is a section, not a setting"),
        ("meter.flows=1", "must be a whole number from 64 to 4194304, not 1"),
        ("meter.flow=64", "the nearest is 'meter.flows'"),
    ],
)
def test_mistakes_in_set(text: str, sentence: str) -> None:
    """A mistake in --set shows the option as it was given."""
    with pytest.raises(ConfigError) as caught:
        load(None, [parse_override(text)])
    assert str(caught.value).startswith(f"--set {text}: ")
    assert sentence in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    """A file that is absent, a directory or not text is one sentence."""
    with pytest.raises(ConfigError, match="cannot read the configuration .*: no such file"):
        load(str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigError, match="is a directory"):
        load(str(tmp_path))
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"[meter]\n\xff")
    with pytest.raises(ConfigError, match="not UTF-8 at byte 8"):
        load(str(binary))


def test_line_of_forms() -> None:
    """A key is found in tables, dotted keys, quoted keys and inline tables."""
    text = '[a]\nx = 1\n["b"."c"]\ny = 2\n[d]\nz = { w = 1 }\n'
    assert line_of(text, ("a", "x")) == 2
    assert line_of(text, ("b", "c", "y")) == 4
    assert line_of(text, ("d", "z", "w")) == 6
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("q",)) == 1


def test_flatten_and_restore() -> None:
    """Every setting survives the way through JSON, a module's own options as well."""
    config = load(
        None,
        [
            Override("detection.threshold", 3.5, "x"),
            Override("detection.home", ["10.0.0.0/8"], "x"),
            Override("modules.arp.patience", 7, "x"),
        ],
    ).config
    assert restore(json.loads(json.dumps(flatten(config)))) == config
    assert flatten(Config())["ring.size"] == Config().ring.size
    with pytest.raises(ConfigError):
        restore({"ring.size": 7})
