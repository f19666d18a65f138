"""proxy.py NAME=PORT:TARGET… : carries TCP between loopback ports, and breaks when told to.

On standard input, one a line, answered by a line "done": `stall NAME` (bytes wait), `mute NAME`
(what the target answers is lost: `heal` cuts the connections that it was for), `cut NAME`
(connections are reset, and new ones too), `heal NAME`. What waited while stalled arrives later,
also when its sender is gone by then.
"""

import asyncio
import socket
import struct
import sys


class Route:
    def __init__(self, name, target):
        self.name = name
        self.target = target
        self.mode = "heal"
        self.flows = asyncio.Event()  # bytes may pass to the target
        self.answers = asyncio.Event()  # and back
        self.flows.set()
        self.answers.set()
        self.muted = set()
        self.writers = set()

    def set_mode(self, mode):
        if mode == "heal":
            for writer in self.muted:
                reset(writer)
            self.muted.clear()
        self.mode = mode
        put(self.flows, mode != "stall")
        put(self.answers, mode not in ("stall", "mute"))
        if mode == "cut":
            for writer in list(self.writers):
                reset(writer)

    async def carry(self, reader, writer, gate, from_target):
        try:
            while data := await reader.read(65536):
                if from_target and self.mode == "mute":
                    self.muted.add(writer)
                await gate.wait()
                if self.mode == "cut":
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            await gate.wait()
            writer.close()

    async def serve(self, reader, writer):
        if self.mode == "cut":
            reset(writer)
            return
        self.writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            self.writers.discard(writer)
            return
        self.writers.add(far_writer)
        await asyncio.gather(self.carry(reader, far_writer, self.flows, False),
                             self.carry(far_reader, writer, self.answers, True))
        self.writers -= {writer, far_writer}
        self.muted.discard(writer)


def put(event, is_set):
    if is_set:
        event.set()
    else:
        event.clear()


def reset(writer):
    """Ends the connection with a RST, so that nothing that waits in it is delivered."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
    writer.transport.abort()


async def main(arguments):
    routes = {}
    for argument in arguments:
        name, ports = argument.split("=")
        port, target = (int(p) for p in ports.split(":"))
        routes[name] = Route(name, target)
        await asyncio.start_server(routes[name].serve, "127.0.0.1", port)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        mode, name = line.decode().split()
        routes[name].set_mode(mode)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
