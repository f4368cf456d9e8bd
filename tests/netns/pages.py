"""``python -m tests.netns.pages PORT...``: small files by HTTP/1.1, IPv4 and IPv6.

``/N`` is N bytes long. It says ``ready`` and serves until standard input closes.
"""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site(ThreadingHTTPServer):
    """Both families; fifty browsers may knock at once."""

    address_family = socket.AF_INET6
    request_queue_size = 1024
    daemon_threads = True

    def server_bind(self) -> None:
        """IPv4 as well."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class File(BaseHTTPRequestHandler):
    """One that is as long as it is called."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body go together

    def do_GET(self) -> None:  # noqa: N802 - the standard library's name for it
        """The file."""
        size = int(self.path[1:])
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        if self.close_connection:  # otherwise curl tries it again, and again
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"x" * size)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def main(*ports: str) -> None:
    """Serve on all of them."""
    for port in ports:
        site = Site(("::", int(port)), File)
        threading.Thread(target=site.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
