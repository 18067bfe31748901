"""Ours and the peer's calls timed in turns: what the benchmark files of this folder share."""

import statistics
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np

# Ours, the peer's name, the peer's call.
Pair = tuple[Callable[[], object], str, Callable[[], object]]
Row = dict[str, str | float]


def paired_rows(pairs: Mapping[str, Pair], n_runs: int) -> list[Row]:
    """One row per pair: the medians in seconds, and the peer's over ours."""
    rows: list[Row] = []
    for name, (ours, peer_name, peer) in pairs.items():
        ours_s, peer_s = paired_medians_s(ours, peer, n_runs)
        rows.append(
            {"name": f"{name} ({peer_name})", "ours": round(ours_s, 4), "peer": round(peer_s, 4),
             "ratio": round(peer_s / ours_s, 2), "unit": "s"}
        )  # fmt: skip
    return rows


def paired_medians_s(ours: Callable[[], object], peer: Callable[[], object], n_runs: int) -> tuple[float, float]:
    """Medians of both, after one call of ours that does not count: it compiles, once per machine."""
    took: tuple[list[float], list[float]] = ([], [])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours()
        for _ in range(n_runs):
            for call, kept in zip((ours, peer), took, strict=True):
                start = time.perf_counter()
                call()
                kept.append(time.perf_counter() - start)
    return statistics.median(took[0]), statistics.median(took[1])


def chest_hu(n_slices: int) -> np.ndarray:
    """Air, body, lungs and noise, (slices, 512, 512) float32."""
    z, y, x = np.ogrid[-1 : 1 : n_slices * 1j, -1:1:512j, -1:1:512j]
    body = ((x / 0.9) ** 2 + (y / 0.65) ** 2 < 1) & (z > -2)
    lungs = ((np.abs(x) - 0.4) / 0.28) ** 2 + (y / 0.4) ** 2 + (z / 0.9) ** 2 < 1
    array = np.where(lungs, -850, np.where(body, 40, -1000)).astype(np.float32)
    return array + np.random.default_rng(0).normal(0, 60, array.shape).astype(np.float32)
