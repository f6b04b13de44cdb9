"""A wide-area link: passes TCP connections on to the server, each late and at a rate of its own.

    link.py PORT RTT_MS BYTES_A_SECOND     prints the port it listens on; ends when its standard input does

Why: on one machine nothing waits, and then it does not show how many requests a
tool has under way. Not here: loss, or a rate that connections share.
"""

import asyncio
import collections
import contextlib
import sys
import time

PIECE = 64 << 10


async def serve(port, delay, rate):
    """Listens on a free port of 127.0.0.1 until standard input ends."""
    async def connected(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", port, limit=PIECE)
        await asyncio.sleep(delay * 2)
        with contextlib.suppress(asyncio.CancelledError):
            # Cancelled when standard input ends: the connections end with this program.
            await asyncio.gather(_pass(reader, there[1], delay, rate), _pass(there[0], writer, delay, rate))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=PIECE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _pass(reader, writer, delay, rate):
    """One direction: each piece leaves when the rate allows, and arrives `delay` later."""
    # What is on its way, as much as fits on such a link, but some.
    window = max(4, int(rate * delay * 2 / PIECE) + 1)
    underway, changed = collections.deque(), asyncio.Condition()

    async def take():
        free = time.monotonic()
        while True:
            piece = await reader.read(PIECE)
            free = max(free, time.monotonic()) + len(piece) / rate
            async with changed:
                await changed.wait_for(lambda: len(underway) < window)
                underway.append((free + delay, piece))
                changed.notify_all()
            if not piece:
                return
            await asyncio.sleep(max(0, free - time.monotonic()))

    async def give():
        while True:
            async with changed:
                await changed.wait_for(lambda: underway)
                at, piece = underway[0]
            await asyncio.sleep(max(0, at - time.monotonic()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()
            async with changed:
                underway.popleft()
                changed.notify_all()

    try:
        await asyncio.gather(take(), give())
    except OSError:
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 2000, float(sys.argv[3])))
