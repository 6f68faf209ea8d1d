"""Calibration: parameter draws given a week, and how far they can be trusted.

Only what is in the week can reach them: the record is cut off before it comes here, and the theatre's own is not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import counting, sampling
from sim.likelihood import Likelihood, from_scores, likelihood
from sim.model import CONTESTED_AT_START, Draws, Model
from sim.record import Record
from sim.streams import key_of

__all__ = ["Posterior", "calibrate"]

Floats: TypeAlias = NDArray[np.float64]
Method: TypeAlias = Literal["grid", "ensemble sampler", "rejection", "fixed"]

#: Above this ratio of posterior to prior spread the week is said to leave a parameter alone.
_KEPT = 0.9
_CARRIED = (
    f"{CONTESTED_AT_START} is carried by the filter from day 0 to the end of the record: the mean over capitals nobody "
    "reported on, for a projection to start from"
)


@dataclass(frozen=True, eq=False, repr=False)
class Posterior(Draws):
    """Draws of a model's parameters given a record, with what is needed to judge and to repeat them.

    Parameters
    ----------
    likelihood : str
        Which likelihood was used, and its error.
    log_likelihood : ndarray, shape (draw,)
    diagnostics : mapping of parameter to figures
        Of the ensemble sampler; empty for the other methods: rhat, ess_bulk, ess_tail, and mcse_low, mcse_median and
        mcse_high, the Monte Carlo errors of the 5%, 50% and 95% points in the parameter's unit.
    at_origin : Draws
        The same draws as of day 0 of the record: they differ in ``start.contested`` alone, if at all.
    ensembles : int
        How many independent ensembles there were; draw i is of ensemble i mod ensembles.
    facts : list of dict
        What of the record was used, with sources.
    notes : tuple of str
        What was read as what.
    kept : tuple of str
        Parameters the week left as their prior had them.
    poor : bool
        Whether the fit fell short and was accepted all the same.
    """

    model: Model
    record: Record
    method: Method
    likelihood: str
    log_likelihood: Floats
    diagnostics: Mapping[str, Mapping[str, float]]
    facts: list[dict[str, Any]]
    notes: tuple[str, ...]
    kept: tuple[str, ...]
    poor: bool
    seed: int
    at_origin: Draws
    ensembles: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.log_likelihood.flags.writeable = False

    def __repr__(self) -> str:
        return f"<Posterior of {self.model.name}: {len(self)} draws of {len(self.names)} parameters, {self.method}>"

    def quantiles(self, name: str) -> tuple[float, float, float]:
        """Return the 5%, 50% and 95% points of parameter *name*."""
        low, middle, high = np.quantile(self[name], (0.05, 0.5, 0.95))
        return float(low), float(middle), float(high)

    def summary(self) -> str:
        """Return a table of the parameters, and how they were found, as text."""
        widest = max([len("parameter"), *(len(name) for name in self.names)])
        lines = [f"{self.model.name}: {len(self)} draws, {self.method}" + ("; POOR FIT" if self.poor else "")]
        head = f"{'parameter':<{widest}}  {'median':>9} {'5%':>9} {'95%':>9}"
        if self.diagnostics:
            head += f" {'MC error':>9} {'R-hat':>7} {'ESS bulk':>9} {'ESS tail':>9}"
        lines.append(head)
        for name in self.names:
            low, middle, high = self.quantiles(name)
            line = f"{name:<{widest}}  {middle:>9.4g} {low:>9.4g} {high:>9.4g}"
            if name in self.diagnostics:
                told = self.diagnostics[name]
                line += f" {told['mcse_median']:>9.2g} {told['rhat']:>7.4f}"
                line += f" {told['ess_bulk']:>9.0f} {told['ess_tail']:>9.0f}"
            if not self.model.parameters[name].free:
                line += "  fixed"
            elif name in self.kept:
                line += "  prior kept"
            lines.append(line)
        unit = "rates are per day and capital; effects have no unit"
        lines.append(f"{unit}; MC error is that of the median" if self.diagnostics else unit)
        lines.append(f"likelihood: {self.likelihood}")
        kinds = [str(fact["id"]).partition(":")[0] for fact in self.facts]
        read = [f"{kinds.count(kind)} {kind}{'s' * (kinds.count(kind) != 1)}" for kind in dict.fromkeys(kinds)]
        lines.append(f"facts: {', '.join(read)}, with their sources in .facts" if read else "facts: nothing happened")
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def describe(self) -> dict[str, object]:
        """Return the posterior as plain values, for files of a run."""
        parameters: dict[str, object] = {}
        for name in self.names:
            low, middle, high = self.quantiles(name)
            told = {key: float(value) for key, value in self.diagnostics.get(name, {}).items()}
            parameters[name] = {"median": middle, "low": low, "high": high, "prior kept": name in self.kept, **told}
        return {
            "model": self.model.name, "method": self.method, "draws": len(self), "seed": self.seed,
            "interval": "5% to 95% of draws", "parameters": parameters, "likelihood": self.likelihood,
            "poor fit": self.poor, "notes": list(self.notes), "facts": self.facts,
        }  # fmt: skip

    def to_arviz(self) -> Any:
        """Return the draws as ArviZ has them: an ``xarray.DataTree`` with a group "posterior" (chain, draw).

        Chains are the independent ensembles. Needs the extra: ``pip install "sweepcast[arviz]"``.
        """
        try:
            from arviz_base import from_dict
        except ImportError as missing:
            raise ImportError('to_arviz needs ArviZ: python -m pip install "sweepcast[arviz]"') from missing
        each = len(self) // self.ensembles
        if each < 1:
            raise ValueError(f"to_arviz: needs a draw of each of {self.ensembles} ensembles, but there are {len(self)}")
        chains = {
            name: self[name][: each * self.ensembles].reshape(each, self.ensembles).T.copy() for name in self.names
        }
        weight = self.log_likelihood[: each * self.ensembles].reshape(each, self.ensembles).T.copy()
        tree = from_dict({"posterior": chains, "sample_stats": {"log_likelihood": weight}})
        tree.attrs |= {"model": self.model.name, "likelihood": self.likelihood, "seed": self.seed}
        return tree


def calibrate(
    model: Model,
    week: Record,
    *,
    seed: int,
    draws: int = 1000,
    accept_poor: bool = False,
    points: int = 32,
    hours: Literal["auto", "average"] = "auto",
    use_mode: bool = False,
    mode_error: float | None = None,
    window_opened_by: Literal["first capture"] | None = None,
    progress: Callable[[int], object] | None = None,
    _budget: sampling.Budget | None = None,
) -> Posterior:
    """Return draws of the parameters of *model* given *week*.

    One or two free parameters are put on a grid; three or more are sampled by at least four independent ensembles of
    walkers, from dispersed starts. A count that only simulation can weigh is calibrated by keeping draws of the prior
    whose simulated record has it.

    Parameters
    ----------
    model : Model
    week : Record
        With an end: ``theatre.record.until(…)``, or a count.
    seed : int
        Not negative. The same seed gives the same bits.
    draws : int
    accept_poor : bool
        Go on although the sampler's diagnostics are poor; the summary says so.
    points, hours, use_mode, mode_error, window_opened_by
        How the record is weighed: see ``sim.likelihood.likelihood``.
    progress : function of the number of steps done, optional

    Returns
    -------
    Posterior

    Raises
    ------
    TypeError, ValueError
        If the week has no end, or cannot be weighed under the model.
    RuntimeError
        If the sampler's R-hat is above 1.01 or an effective sample size is below 400.
    """
    if not isinstance(model, Model):
        raise TypeError(f"calibrate: model must be a Model, but was {model!r}")
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)):
        raise TypeError(f"calibrate: draws must be a positive integer, but was {draws!r}")
    if draws < 1:
        raise ValueError(f"calibrate: draws must be a positive integer, but was {draws!r}")
    key_of(seed, "calibrate")
    weight = likelihood(
        model, week, seed=seed, points=points, hours=hours, use_mode=use_mode, mode_error=mode_error,
        window_opened_by=window_opened_by,
    )  # fmt: skip
    budget = _budget or sampling.Budget()
    dimension = len(model.free)
    method: Method

    def density(scores: Floats) -> Floats:
        # A move of the sampler may leap to where values overflow; the prior has some 1e-196 of its peak there.
        near = np.all(np.abs(scores) < 30.0, axis=1)
        scores = np.where(near[:, None], scores, 0.0)
        found = weight.function(from_scores(model, scores)) - 0.5 * np.sum(scores * scores, axis=1)
        return np.where(near & (found < math.inf), found, -math.inf)

    def kept_by(scores: Floats, batch: int) -> NDArray[np.bool_]:
        proposed = Draws(tuple(model.parameters), from_scores(model, scores))
        return counting.matched(model, week, proposed, len(scores), counting.stream_seed(seed, f"rejection {batch}"))

    if dimension == 0:
        method, sample = "fixed", sampling.Sample(np.zeros((draws, 0)), [])
    elif weight.kind == "simulated":
        method, sample = "rejection", sampling.rejection(kept_by, dimension, draws, seed, progress)
    elif dimension <= 2:
        method, sample = "grid", sampling.grid(density, dimension, draws, seed)
    else:
        method, sample = "ensemble sampler", sampling.ensembles(density, dimension, draws, seed, budget, progress)
    diagnostics = dict(zip(model.free, _told(model, sample), strict=bool(sample.diagnostics)))
    poor = _poor(diagnostics, budget)
    if poor and not accept_poor:
        raise RuntimeError(_complaint(model, poor, sample, budget))
    values = from_scores(model, sample.scores)
    log_likelihood = weight(values)
    if not np.all(log_likelihood > -math.inf):
        raise ValueError("calibrate: the record is impossible under the model, whatever its parameters")
    notes, at_origin = weight.notes, Draws(tuple(model.parameters), values.copy())
    if method == "rejection":
        notes = (
            *notes,
            f"{draws} draws of the prior kept of {sample.steps}, each for one simulated record with the count",
        )
    if weight.carried is not None:
        # A projection starts where the record ends, and so does what it must know of contests nobody saw.
        values[:, list(model.parameters).index(CONTESTED_AT_START)] = weight.carried(values)
        notes = (*notes, _CARRIED)
    left = [
        name for name, column in zip(model.free, sample.scores.T, strict=True)
        if np.std(column) > _KEPT and abs(np.mean(column)) < 0.25
    ]  # fmt: skip
    return Posterior(
        names=tuple(model.parameters), values=values, model=model, record=week, method=method,
        likelihood=_with_error(weight, sample.scores), log_likelihood=log_likelihood, diagnostics=diagnostics,
        facts=weight.facts, notes=notes, kept=tuple(left), poor=bool(poor), seed=int(seed), at_origin=at_origin,
        ensembles=sample.ensembles,
    )  # fmt: skip


def _told(model: Model, sample: sampling.Sample) -> list[dict[str, float]]:
    """Return the diagnostics of each free parameter, with Monte Carlo errors of quantiles in its unit."""
    found = []
    for j, told in enumerate(sample.diagnostics):
        told = dict(told)
        if sample.errors is not None:
            prior = model.parameters[model.free[j]]
            at = np.quantile(sample.scores[:, j], sampling.QUANTILES)
            # Half the span that one error to either side of the quantile makes in the parameter's unit.
            span = (prior.from_score(at + sample.errors[j]) - prior.from_score(at - sample.errors[j])) / 2
            told |= dict(zip(("mcse_low", "mcse_median", "mcse_high"), map(float, span), strict=True))
        found.append(told)
    return found


def _with_error(weight: Likelihood, scores: Floats) -> str:
    if weight.again is None:
        return weight.text
    middle = np.median(scores, axis=0)[None]
    error = weight.error(from_scores(weight.model, middle)[0])
    of = "simulations" if weight.kind == "simulated" else "scrambles"
    return f"{weight.text}; error of the log likelihood {error:.3f} at the posterior median (8 {of})"


def _poor(diagnostics: Mapping[str, Mapping[str, float]], budget: sampling.Budget) -> list[str]:
    """Return what is wrong with the sample, parameter by parameter."""
    found = []
    for name, told in diagnostics.items():
        # Written so that a figure that is not a number counts as poor.
        if not told["rhat"] <= budget.rhat:
            found.append(f"{name} has R-hat {told['rhat']:.3f} (at most {budget.rhat:g})")
        for key in ("ess_bulk", "ess_tail"):
            if not told[key] >= budget.ess:
                found.append(f"{name} has {key} {told[key]:.0f} (at least {budget.ess:g})")
    return found


def _complaint(model: Model, poor: list[str], sample: sampling.Sample, budget: sampling.Budget) -> str:
    return (
        f"calibrate: a poor fit of {model.name} after {sample.steps} steps of {budget.ensembles} ensembles: "
        f"{'; '.join(poor)}. Narrow the priors, fix a parameter the record cannot tell, or take a simpler model; "
        "accept_poor=True goes on all the same and says so"
    )
