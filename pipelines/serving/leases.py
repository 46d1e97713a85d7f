"""Leases of servers: models that want the same one share it, in all threads of this process.

So two models of a recipe with equal weights and arguments load them once, and the shards of a flow
do not each fill the GPU. The last to give its lease back ends the server.
"""

import threading

from pipelines.serving.server import Launch, Server

_changing = threading.Lock()
_leased: dict[Launch, tuple[Server, int]] = {}


def lease(launch: Launch) -> Server:
    """The server of `launch`, not necessarily started."""
    with _changing:
        server, leases = _leased.get(launch) or (Server(launch), 0)
        _leased[launch] = (server, leases + 1)
    return server


async def give_back(launch: Launch) -> None:
    """Ends a lease, and the server with the last one."""
    with _changing:
        server, leases = _leased.pop(launch)
        if leases > 1:
            _leased[launch] = (server, leases - 1)
            return
    await server.stop()
