"""A name server that knows every name as 127.0.0.1 and takes its time.

    python slow_names.py SECONDS

Listens on port 53 of 127.0.0.1, so it wants a network namespace of its own; says so when it does.
"""

from __future__ import annotations

import socket
import sys
import threading

PORT = 53
A = 1
"""Type of a question for an IPv4 address; others get an empty answer. Source: RFC 1035, 3.2.2."""


def answer(question: bytes) -> bytes:
    """The answer to a packet with one question."""
    end = 12
    while question[end]:
        end += 1 + question[end]
    asked = question[12 : end + 5]
    kind = int.from_bytes(asked[-4:-2], "big")
    # An answer, recursion desired and available; one question, one answer or none.
    head = question[:2] + b"\x81\x80" + b"\x00\x01" + (b"\x00\x01" if kind == A else b"\x00\x00")
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04" + bytes([127, 0, 0, 1])
    return head + b"\x00\x00\x00\x00" + asked + (record if kind == A else b"")


def main(delay_s: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", PORT))
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            question, client = server.recvfrom(1500)
            threading.Timer(delay_s, server.sendto, (answer(question), client)).start()


if __name__ == "__main__":
    main(float(sys.argv[1]))
