"""Ports on loopback, and a server there that never ends its answer."""

import contextlib
import socket
import threading
import time


def free_port():
    """A port that nobody listens on now, for a program that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def endless(first, again):
    """A server that answers with the first bytes and then, for as long as it is let, the others."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(first)
                    while True:
                        connection.sendall(again)
                        time.sleep(0.01)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)
        assert not thread.is_alive()
