"""A small client of HTTP/1.1 on asyncio, for machines without wrk. Imported by `loads.py`.

It takes more of the processor that it shares with the server than wrk does, so that its rates are not to be compared with wrk's.
"""

import asyncio
import itertools
import pathlib
import statistics
import time


def stream(port, path, bodies, connections, seconds):
    """What `post.lua` tells of the same load."""
    return asyncio.run(everyone(port, written(path, bodies), connections, seconds))


def written(path, bodies):
    """The bytes of each request."""
    if not bodies:
        return [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()]
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    lines = pathlib.Path(bodies).read_bytes().splitlines()
    return [f"{head}{len(line)}\r\n\r\n".encode() + line for line in lines]


async def everyone(port, requests, connections, seconds):
    turns, took = itertools.cycle(requests), []
    began = time.perf_counter()
    ends = began + seconds
    errors = await asyncio.gather(*(one(port, turns, took, ends) for _ in range(connections)))
    p50 = 1e3 * statistics.median(took) if took else 0
    return {"requests": len(took), "seconds": time.perf_counter() - began, "p50_ms": p50, "errors": sum(errors)}


async def one(port, turns, took, ends):
    """Asks on one connection until the end; gives how many answers were none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    errors = 0
    while (before := time.perf_counter()) < ends:
        writer.write(next(turns))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        errors += b" 200 " not in head.partition(b"\r\n")[0]
        took.append(time.perf_counter() - before)
    writer.close()
    return errors
