"""A web server on this machine that behaves well or badly, for tests of downloads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """Files of a server, and how it treats those who ask for them.

    Attributes
    ----------
    files : dict of str to bytes
        Content by path.
    breaks_after : list of int
        Bytes after which the next connections are closed, in order.
    knows_range : bool
        Whether it goes on in the middle of a file.
    asked : list of str
        Paths and ranges of all requests.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.breaks_after: list[int] = []
        self.knows_range = True
        self.asked: list[tuple[str, str]] = []


@contextmanager
def served() -> Iterator[Site]:
    """Run a server while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers.get("Range", "")))
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = self._start(len(content))
            if start is None:
                self.send_response(416)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = len(content)
            if site.breaks_after:
                end = min(end, start + site.breaks_after.pop(0))
            self.wfile.write(content[start:end])
            self.close_connection = True

        def _start(self, size: int) -> int | None:
            asked = self.headers.get("Range", "")
            if not (site.knows_range and asked):
                return 0
            start = int(asked.removeprefix("bytes=").split("-")[0])
            return start if start < size else None

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
