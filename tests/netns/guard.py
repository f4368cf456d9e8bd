"""The whole service on the router of a bed, in mode block."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.netns.bed import FRIEND, Bed
from tests.netns.network import Network
from tests.netns.service import ENVIRONMENT, PROGRAM, Service
from tests.program import ROOT


class Guard(Service):
    """The service on the router's outer interface."""

    def __init__(self, bed: Bed, folder: Path, source: str) -> None:
        self._source = source
        super().__init__(Network(bed.world, bed.router), folder)

    def write_settings(self, _text: str) -> None:
        """Mode block, one friend, and no tables left behind."""
        self.settings.write_text(
            f'[capture]\nsource = "{self._source}"\n[enforcer]\nmode = "block"\n'
            f'allow = ["{FRIEND}"]\non_stop = "remove"\n'
            f'state = "{self.folder}/state/blocks"\n'
        )

    def _words(self) -> tuple[str, ...]:
        words = super()._words()
        return tuple("wan0" if word == "in0" else word for word in words)

    def verb(self, *words: str) -> str:
        """What a verb of the program prints."""
        command = [*PROGRAM, *words, "--runtime", str(self.folder)]
        done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def outcomes(self) -> dict[str, int]:
        """Answers of the enforcer that its engine has heard, by outcome."""
        heard: dict[str, int] = self.status()["engine"]["enforced"]
        return heard

    def has_heard(self, outcome: str, count: int) -> bool:
        """Whether there were so many answers of a kind."""
        return self.outcomes().get(outcome, 0) >= count

    def has_said(self, text: str) -> bool:
        """Whether it has told that."""
        return text in self.said


@contextmanager
def guarding(bed: Bed, source: str = "auto") -> Iterator[Guard]:
    """The service, ready; by default with first packets, as on any router."""
    with TemporaryDirectory(prefix="hdr-lite-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        service = Guard(bed, folder, source)
        try:
            service.until_said("hdr-lite: ready\n")
            yield service
        finally:
            service.close()
