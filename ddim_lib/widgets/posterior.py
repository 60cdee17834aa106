"""The posterior explorer: what x_0 and x_t say of x_s between them, in one dimension."""

import traitlets
from matplotlib.figure import Figure

from ddim_lib.widgets.base import Number
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.step import StepExplorer
from ddim_lib.widgets.stills import posterior as stills

MOST_X = 3  # of x_0 and x_t, in data units


class PosteriorExplorer(StepExplorer):
    """Prior, likelihood and posterior of x_s, moved by hand; `posterior` makes one.

    t, steps, x_0, x_t, eta: the setting shown; observe, link and jslink them as with any ipywidget.
    t need not be one of the steps' times: the step that contains it is shown.
    """

    _esm = bundle("posterior.js")
    _css = bundle("posterior.css")

    x_0 = Number(1.0, -MOST_X, MOST_X)
    x_t = Number(0.5, -MOST_X, MOST_X)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        return (
            "Three bells over x_s: the prior that x_0 gives, the likelihood that x_t gives, and "
            "the posterior between them with its mean and width"
        )

    @property
    def _setting(self) -> str:
        return f"x_0={self.x_0:g}, x_t={self.x_t:g}; {super()._setting}"

    def figure(self) -> Figure:
        """Draw the setting by `ddim_lib` itself."""
        return stills.still(self)


def posterior(
    t: int = 300, steps: int = 10, x_0: float = 1.0, x_t: float = 0.5, eta: float = 1.0
) -> PosteriorExplorer:
    """Show what x_0 and x_t say of x_s, the next of the steps' times, under a slider for each.

    t, steps: 1 … 1000, uniform times on DDPM's linear schedule. x_0, x_t: −3 … 3, data units.
    eta: 0 … 1; 1 is Bayes' rule, less keeps the marginals and moves the mean and the width.
    Raises ValueError on anything else.
    """
    return PosteriorExplorer(t=t, steps=steps, x_0=x_0, x_t=x_t, eta=eta)
