"""A relay between a worker and a server: it can lose answers, hold everything up, and refuse."""

import socket
import threading


class Proxy:
    """Listens on a free port of loopback; connects to a host and port, or to the path of a unix
    socket. `mode` is one of: pass, refuse (connections end), stall (nothing passes)."""

    def __init__(self, target, port=0, tls=None):
        self.target = target
        self.tls = tls  # an ssl.SSLContext that clients must speak with
        self.lose = 0  # so many answers of the server are lost, each with its connection
        self.lost = 0
        self.open = set()
        self.lock = threading.Condition()
        self.mode = "pass"
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def connect(self):
        if isinstance(self.target, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            return server
        return socket.create_connection(self.target)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                refused = self.mode == "refuse"
            try:
                if self.tls and not refused:
                    client = self.tls.wrap_socket(client, server_side=True)
                server = None if refused else self.connect()
            except OSError:
                server = None
            if not server:
                client.close()
                continue
            with self.lock:
                self.open |= {client, server}
            threading.Thread(target=self.serve, args=(client, server), daemon=True).start()

    def serve(self, client, server):
        with client, server:
            back = threading.Thread(target=self.relay, args=(server, client, True), daemon=True)
            back.start()
            self.relay(client, server, False)
            back.join()

    def relay(self, source, target, is_answer):
        try:
            while True:
                data = source.recv(65536)
                with self.lock:
                    self.lock.wait_for(lambda: self.mode != "stall")
                    if is_answer and data and self.lose > 0:
                        self.lose -= 1
                        self.lost += 1
                        break
                if not data:
                    break
                target.sendall(data)
        except OSError:
            pass
        self.end(source, target)

    def end(self, *sockets):
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self.lock:
            self.open -= set(sockets)

    def set_mode(self, mode):
        with self.lock:
            self.mode = mode
            self.lock.notify_all()
            cut = list(self.open) if mode == "refuse" else []
        self.end(*cut)

    def close(self):
        """From now on the port refuses connections."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # or the thread in accept would keep it
        except OSError:
            pass
        self.listener.close()
        self.set_mode("refuse")
