"""Sliders that live without a kernel: stored pictures, and a sampler that runs in the page."""

from ddim_lib.widgets.flow import FlowExplorer, flow
from ddim_lib.widgets.grid import GridExplorer, explore

__all__ = ["FlowExplorer", "GridExplorer", "explore", "flow"]
