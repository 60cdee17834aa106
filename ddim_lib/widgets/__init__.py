"""Sliders that live without a kernel: stored pictures, and arithmetic that runs in the page."""

from ddim_lib.widgets.chain import ChainExplorer, chain
from ddim_lib.widgets.digits import Digits
from ddim_lib.widgets.flow import FlowExplorer, flow
from ddim_lib.widgets.grid import GridExplorer, explore
from ddim_lib.widgets.lab import LabExplorer, lab
from ddim_lib.widgets.paths import PathsExplorer, paths
from ddim_lib.widgets.posterior import PosteriorExplorer, posterior

__all__ = [
    "ChainExplorer",
    "Digits",
    "FlowExplorer",
    "GridExplorer",
    "LabExplorer",
    "PathsExplorer",
    "PosteriorExplorer",
    "chain",
    "explore",
    "flow",
    "lab",
    "paths",
    "posterior",
]
