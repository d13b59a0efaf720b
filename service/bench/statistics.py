"""Percentiles, histograms and slopes. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of what was counted, in its own unit; None where nothing was."""

    count: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    most: float | None = None


def spread(values: Sequence[float]) -> Spread:
    """Each percentile is a value that occurred: the least that so many of a hundred do not exceed."""
    if not values:
        return Spread(count=0)
    ordered = sorted(values)
    p50, p95, p99 = (round(ordered[math.ceil(share * len(ordered)) - 1], 4) for share in (0.5, 0.95, 0.99))
    return Spread(count=len(ordered), p50=p50, p95=p95, p99=p99, most=round(ordered[-1], 4))


def medians(values: Sequence[float], stretches: int) -> list[float]:
    """The medians of so many stretches of equal length, in order; of as many as there are values if those are fewer."""
    return [round(float(np.median(part)), 1) for part in np.array_split(values, stretches) if len(part)]


def histogram_spread(buckets: Mapping[float, float]) -> Spread:
    """From a Prometheus histogram's cumulative counts by upper bound: evenly spread within a bucket, as Prometheus'
    `histogram_quantile` takes it. What lies past the last bound counts as that bound."""
    bounds = sorted(buckets)
    count = round(buckets[bounds[-1]]) if bounds else 0
    if not count:
        return Spread(count=0)
    p50, p95, p99, most = (_quantile(share, bounds, buckets) for share in (0.5, 0.95, 0.99, 1.0))
    return Spread(count=count, p50=p50, p95=p95, p99=p99, most=most)


def _quantile(share: float, bounds: Sequence[float], buckets: Mapping[float, float]) -> float:
    rank = share * buckets[bounds[-1]]
    at = next(index for index, bound in enumerate(bounds) if buckets[bound] >= rank)
    if math.isinf(bounds[at]):
        return bounds[at - 1]
    below, under = (bounds[at - 1], buckets[bounds[at - 1]]) if at else (0.0, 0.0)
    inside = buckets[bounds[at]] - under
    return round(below + (bounds[at] - below) * ((rank - under) / inside if inside else 1.0), 5)


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Least squares over (x, y): the rise of y per x, and its standard error; None for fewer than three points."""
    if len(points) < 3:
        return None
    x, y = np.array(points, dtype=np.float64).T
    spread_x = float(((x - x.mean()) ** 2).sum())
    if spread_x == 0:
        return None
    rise = float(((x - x.mean()) * (y - y.mean())).sum()) / spread_x
    rest = y - y.mean() - rise * (x - x.mean())
    return rise, math.sqrt(float((rest**2).sum()) / (len(points) - 2) / spread_x)
