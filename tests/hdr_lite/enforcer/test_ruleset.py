"""Our tables as text."""

from dataclasses import replace

import pytest

from hdr_lite.config import Config, UserError
from hdr_lite.enforcer.ruleset import (
    CHUNK,
    FAMILIES,
    FOREVER,
    Element,
    is_plain,
    ports_of,
    skeleton,
    table_name,
    transactions,
)

CONFIG = Config()


def with_settings(**settings: object) -> Config:
    """A configuration with these settings of the enforcer."""
    return replace(CONFIG, enforcer=replace(CONFIG.enforcer, **settings))  # type: ignore[arg-type]


def test_hooks_and_priorities() -> None:
    """Blocks drop before conntrack, limits after our log rule and after de-NAT."""
    text = skeleton("inet", "hdr_lite", CONFIG)
    for hook in ("prerouting priority -300", "forward priority -300", "output priority -300"):
        assert f"type filter hook {hook}; policy accept;" in text
    assert "chain limit_in { type filter hook prerouting priority -80; policy accept; }" in text


def test_only_own_tables_are_named() -> None:
    """No line touches a table of others."""
    for family in FAMILIES:
        for line in skeleton(family, "hdr_lite_x", CONFIG).splitlines():
            words = line.split()
            if words[0] in ("table", "flush", "add"):
                assert f"{family} hdr_lite_x" in line


def test_management_interface_is_spared_first() -> None:
    """In each chain of inet its rule stands before every drop."""
    lines = skeleton("inet", "t", with_settings(management="mgmt0")).splitlines()
    for chain, way in {
        "block_in": "iifname",
        "block_out": "oifname",
        "limit_in": "iifname",
    }.items():
        rules = [line for line in lines if line.startswith(f"add rule inet t {chain} ")]
        assert rules[1].endswith(f'{way} "mgmt0" accept')
        assert all("drop" not in rule for rule in rules[:2])


@pytest.mark.parametrize("name", ['x"; flush ruleset; "', "a b", "x" * 16, "x\n"])
def test_interface_that_is_none(name: str) -> None:
    """What could end a rule early is refused before nftables sees it."""
    with pytest.raises(UserError):
        skeleton("inet", "t", with_settings(management=name))


def test_names_of_tables() -> None:
    """The instance is part of the name, if it can be."""
    assert table_name("") == "hdr_lite"
    assert table_name("lab2") == "hdr_lite_lab2"
    for instance in ("a b", "x;", "x" * 21, "ü"):
        with pytest.raises(UserError):
            table_name(instance)


def test_ports() -> None:
    """Ports of a setting are numbers from 1 to 65535, each once."""
    assert ports_of(["22", "443", "22"], "key") == (22, 443)
    for word in ("0", "65536", "ssh", "-1", "22 }", "²"):
        with pytest.raises(UserError, match="key: "):
            ports_of([word], "key")


def test_transaction() -> None:
    """What may be there goes first; what is taken away needs not be there."""
    elements = [
        Element("limit4", "10.0.0.1", 60),
        Element("limit4", "10.0.0.2", 60, there=True),
        Element("limit4", "10.0.0.3", 0),
        Element("quarantine", "02:00:00:00:00:01", 60),
        Element("own_mac", "02:00:00:00:00:02", FOREVER),
    ]
    (text,) = transactions("t", ("inet", "bridge"), elements)
    assert text.splitlines() == [
        "add element inet t limit4 { 10.0.0.2, 10.0.0.3 }",
        "delete element inet t limit4 { 10.0.0.2, 10.0.0.3 }",
        "add element inet t limit4 { 10.0.0.1 timeout 60s, 10.0.0.2 timeout 60s }",
        "add element inet t quarantine { 02:00:00:00:00:01 timeout 60s }",
        "add element bridge t quarantine { 02:00:00:00:00:01 timeout 60s }",
        "add element bridge t own_mac { 02:00:00:00:00:02 }",
    ]


def test_last_word_counts() -> None:
    """An element set and taken away in one batch is not set, and the other way round."""
    away = [Element("limit4", "10.0.0.1", 60), Element("limit4", "10.0.0.1", 0)]
    (text,) = transactions("t", FAMILIES, away)
    assert "timeout" not in text
    (text,) = transactions("t", FAMILIES, away[::-1])
    assert text.splitlines()[-1] == "add element inet t limit4 { 10.0.0.1 timeout 60s }"


def test_chunks() -> None:
    """However many elements, no transaction holds more than a chunk."""
    many = (Element("limit4", f"10.0.{n >> 8}.{n & 255}", 60) for n in range(2 * CHUNK + 1))
    texts = list(transactions("t", FAMILIES, many))
    assert [text.count("timeout") for text in texts] == [CHUNK, CHUNK, 1]


def test_pace_is_for_the_unknown_outside() -> None:
    """Not for home, nor for whoever is on the allow list; only where a default route leaves by."""
    text = skeleton("inet", "t", with_settings(allow=["198.51.100.0/24", "2001:db8::7"]))
    rules = [line for line in text.splitlines() if "update @pace" in line]
    assert len(rules) == 2
    for rule, friend in zip(rules, ("198.51.100.0/24", "2001:db8::7/128"), strict=True):
        assert " limit_in iifname @outside ct state new " in rule
        assert friend in rule.partition(" saddr != {")[2].partition("}")[0]
    assert "192.168.0.0/16" in rules[0]


def test_what_is_established_passes_early() -> None:
    """Most packets meet neither limits nor pace: only what a handshake's end is for them."""
    text = skeleton("inet", "t", CONFIG)
    rules = [line.partition(" limit_in ")[2] for line in text.splitlines() if " limit_in " in line]
    early = rules.index("ct state { established, related } accept")
    assert all("lo" in r or "update @known" in r for r in rules[1:early])
    assert not any("established" in rule for rule in rules[early + 1 :])


def test_sessions_are_looked_up_for_the_held_only() -> None:
    """What most packets meet on their way in are the sets of who is held, and nothing else."""
    lines = skeleton("inet", "t", CONFIG).splitlines()
    chains = {
        name: [line.partition(f" {name} ")[2] for line in lines if f" t {name} " in line]
        for name in ("block_in", "held", "quarantined")
    }
    assert not any("@session" in rule for rule in chains["block_in"])
    for name in ("held", "quarantined"):
        assert all("@session" in rule for rule in chains[name][:2]), chains[name]
        assert chains[name][-1] == "drop"
    assert [rule.rpartition(" ")[2] for rule in chains["block_in"][-3:]] == ["held"] * 3


def test_names_of_interfaces() -> None:
    """What would end a quoted name is none."""
    assert is_plain("eth0.7@x")
    for name in ('x"', "", "x" * 16, "a b"):
        assert not is_plain(name)


def test_blocks_hold_on_a_bridge_as_well() -> None:
    """What passes from port to port never passes inet."""
    (text,) = transactions("t", FAMILIES, [Element("block4", "10.0.0.1", 60)])
    assert text.splitlines() == [
        "add element inet t block4 { 10.0.0.1 timeout 60s }",
        "add element bridge t block4 { 10.0.0.1 timeout 60s }",
    ]
