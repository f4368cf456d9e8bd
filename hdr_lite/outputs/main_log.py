"""hdr-lite.log: what modules print, and what the engine does; errors too, for their place."""

from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.text import log_time, one_line


class MainLog(FileOutput):
    """The file."""

    file_name = "hdr-lite.log"

    def log(self, ts: int, name: str, text: str) -> None:
        """A line for each line of the text."""
        for line in text.splitlines() or [""]:
            self.write(f"{log_time(ts)} [{one_line(name)}] {one_line(line)}\n")

    def error(self, ts: int, text: str) -> None:
        """One line."""
        self.write(f"{log_time(ts)} [error] {one_line(text)}\n")
