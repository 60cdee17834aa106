"""Kernels that speak through files of their own, not through ports.

A port that was free a moment ago may be another kernel's by the time that this one takes it: two
notebooks that start at the same instant then stop with "Address already in use".
"""

import tempfile

from jupyter_client.manager import AsyncKernelManager, KernelManager


class OwnFiles:
    """For a kernel manager: its sockets lie in a temporary folder, removed with the kernel."""

    def __init__(self, **options: object) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
        own = {"transport": "ipc", "connection_file": f"{self.folder.name}/kernel.json"}
        super().__init__(**options | own)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            self.folder.cleanup()


class QuietKernel(OwnFiles, KernelManager):
    """What nbval starts."""


class AsyncQuietKernel(OwnFiles, AsyncKernelManager):
    """What nbclient starts."""

    cleanup_resources = OwnFiles._async_cleanup_resources
