"""The small library behind the book: every formula of its pages, as runnable code."""

from ddim_lib import ode
from ddim_lib.data import load_digits
from ddim_lib.ddim import (
    Coefficients,
    Step,
    ddim_coefficients,
    ddim_step,
    ddim_steps,
    ddpm_large_coefficients,
    ddpm_large_step,
    ddpm_large_steps,
    sample,
)
from ddim_lib.exact import EmpiricalData, GaussianMixture
from ddim_lib.nets import load_denoiser
from ddim_lib.ode import encode, ode_solve, ode_steps
from ddim_lib.process import predict_eps, predict_x0, q_sample, seeded
from ddim_lib.schedule import Schedule
from ddim_lib.train.mismatch import diagnose

__all__ = [
    "Coefficients",
    "EmpiricalData",
    "GaussianMixture",
    "Schedule",
    "Step",
    "ddim_coefficients",
    "ddim_step",
    "ddim_steps",
    "ddpm_large_coefficients",
    "ddpm_large_step",
    "ddpm_large_steps",
    "diagnose",
    "encode",
    "load_denoiser",
    "load_digits",
    "ode",
    "ode_solve",
    "ode_steps",
    "predict_eps",
    "predict_x0",
    "q_sample",
    "sample",
    "seeded",
]
