"""A server with planted faults: what finds nothing here would have found nothing in the house either."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


class Planted(BaseHTTPRequestHandler):
    """One page whose number goes into a statement as it is, one that says back what it is told."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(asked.query).items()}
        if asked.path == "/item":
            status, body = self._item(given.get("id", "1"))
        elif asked.path == "/hello":
            status, body = 200, f"<p>Hello {given.get('name', 'you')}!</p>"
        else:
            status, body = 200, '<a href="/item?id=1">item</a> <a href="/hello?name=you">hello</a>'
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(f"<html><body>{body}</body></html>".encode())

    def _item(self, number: str) -> tuple[int, str]:
        with sqlite3.connect(":memory:") as db:
            db.execute("CREATE TABLE items (id INTEGER, name TEXT)")
            db.execute("INSERT INTO items VALUES (1, 'lamp'), (2, 'ink')")
            try:
                rows = db.execute(f"SELECT name FROM items WHERE id = {number}").fetchall()
            except sqlite3.Error as error:
                return 500, f"sqlite3.OperationalError: {error}"
        return 200, "".join(f"<p>{row[0]}</p>" for row in rows)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is written down."""


@contextmanager
def planted() -> Iterator[str]:
    """Serve it on loopback; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Planted)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
