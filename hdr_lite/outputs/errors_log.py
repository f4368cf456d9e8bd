"""errors.log: a line per error, naming the module and the reason."""

from hdr_lite.outputs.file import FileOutput
from hdr_lite.outputs.text import log_time, one_line


class ErrorsLog(FileOutput):
    """The file. Errors are few and are on disk at once."""

    file_name = "errors.log"

    def error(self, ts: int, text: str) -> None:
        """One line."""
        self.write(f"{log_time(ts)} {one_line(text)}\n")
        self.flush()
