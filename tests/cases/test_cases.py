"""Every case folder, run and judged; and every scenario of the generator by its label."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases.case import Case, capture_of_script, load, repeatable
from tests.program import Done, analyse, hdr_lite
from tests.traffic.scenarios import SCENARIOS

FOLDER = Path(__file__).parent
NAMES = sorted(path.parent.name for path in FOLDER.glob("*/case.toml"))

#: Scenarios whose label needs a module that is shipped switched off; a case covers them.
SWITCHED_OFF = {"ConnectionToLocalDevice"}


def run_case(case: Case, capture: Path | None, output: Path) -> Done:
    """Run the case's command once."""
    folder = FOLDER / case.name
    words = [word.format(case=folder, output=output) for word in case.arguments]
    if capture is None:
        return hdr_lite(case.command, *words, folder=output)
    if case.command == "run":
        return analyse(capture, output, *words)
    return hdr_lite(case.command, capture, *words, folder=output)


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, capture: Callable[..., Path], tmp_path: Path) -> None:
    """What the case's file says holds; run again, the same bytes come out."""
    case = load(FOLDER / name)
    given: Path | None = None
    if case.scenario:
        given = capture(case.scenario, case.seed)
    elif case.script:
        given = tmp_path / "input.pcap"
        given.write_bytes(capture_of_script(FOLDER / name / case.script))
    runs = [run_case(case, given, tmp_path / f"run{number}") for number in range(case.repeat)]
    for done in runs:
        assert done.status == case.status, done.stderr
        assert "Traceback" not in done.stderr
        assert [text for check in case.check if (text := check.complaint(done))] == []
    assert all(repeatable(done) == repeatable(runs[0]) for done in runs[1:])


@pytest.mark.parametrize("name", NAMES)
def test_case_is_explained(name: str) -> None:
    """A case has a README of a few sentences, and expects something."""
    assert len((FOLDER / name / "README.md").read_text().split()) > 15
    assert load(FOLDER / name).check


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_scenario_is_judged_as_labelled(
    name: str, capture: Callable[..., Path], tmp_path: Path
) -> None:
    """What a scenario is labelled with is found about whom it accuses; without a label, nothing."""
    scenario = SCENARIOS[name]
    done = analyse(capture(name), tmp_path / "output")
    assert (done.status, done.text("errors.log")) == (0, ""), done.stderr
    evidence = done.evidence()
    wanted = set(scenario.evidence) - SWITCHED_OFF
    accused = [e for e in evidence if scenario.accused in ("", e["profile"], e["attacker"]["ip"])]
    assert wanted <= {entry["type"] for entry in accused}
    if not wanted:
        strong = [e for e in evidence if e["threat_level"] in ("medium", "high", "critical")]
        assert strong == []
        assert done.incidents() == []
