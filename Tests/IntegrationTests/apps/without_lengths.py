"""An app whose answers end with their connection: run as `python3 without_lengths.py`.

/whole is a whole answer, /half one that is never finished; /killed-by/N has the process killed by signal N, and /exit/N has it
exit. /threads makes it a process of many threads, and /memory one that takes its time to end.
"""

import os
import resource
import socket
import threading
import time

HEAD = b"HTTP/1.0 200 OK\r\n\r\n"
kept = []


def serve(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(65536)
        if not part:
            return connection.close()
        request += part
    _, what, *rest = request.split(b" ")[1].split(b"/")
    if what == b"whole":
        connection.sendall(HEAD + b"all of it")
        connection.close()
    elif what == b"half":
        connection.sendall(HEAD + b"half of it")
        kept.append(connection)
    elif what == b"killed-by":
        os.kill(os.getpid(), int(rest[0]))
    elif what == b"exit":
        os._exit(int(rest[0]))
    elif what == b"threads":
        for _ in range(50):
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        connection.close()
    elif what == b"memory":
        kept.append(bytearray(os.urandom(1 << 20)) * 200)
        kept.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(500))
        connection.close()


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 8000))
listener.listen(1000)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
