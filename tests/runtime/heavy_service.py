"""A web service whose answers are legal, and as heavy to read as the protocol allows."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

KIB_64 = 65_536
_OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


def _whole(body: bytes, headers: bytes = b"") -> bytes:
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (_OK, headers, len(body), body)


def _json(piece: bytes, size: int = KIB_64 - 64) -> bytes:
    return b'{"x": [' + b",".join([piece] * (size // (len(piece) + 1))) + b'], "name": "Jeanne"}'


HEAVY = {
    "numbers": _whole(_json(b"1.7976931348623157e308")),
    "objects": _whole(_json(b"{}")),
    "one long text": _whole(b'{"name": "' + "é".encode() * 32_000 + b'"}'),
    "deep": _whole(b"[" * 900 + b"]" * 900),
    "deeper than can be read": _whole(b"[" * 60_000),
    "in small pieces": (
        _OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"1\r\n%c\r\n" % char for char in _json(b"1", 60_000))
    )
    + b"0\r\n\r\n",
    "many headers": _whole(b'{"name": "Jeanne"}', b"".join(b"X-%d: 1\r\n" % number for number in range(4_000))),
    "many cookies": _whole(b'{"name": "Jeanne"}', b"Set-Cookie: a=1; Path=/; Max-Age=9\r\n" * 1_500),
    "many interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 4_000 + _whole(b'{"name": "Jeanne"}'),
    "packed": _whole(gzip.compress(b" " * 16 * KIB_64 + b'{"name": "Jeanne"}'), b"Content-Encoding: gzip\r\n"),
}
"""Whole answers, by what is heavy about them."""


@contextmanager
def heavy_service(answer: bytes) -> Iterator[int]:
    """It answers everybody so, from a thread, so that the loop has nothing to do with it; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, answer))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(10)
            try:
                connection.recv(KIB_64)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)  # until the other side has done with it
            except OSError:
                pass
