"""Nodules as findings: measured, placed, and held against Fleischner 2017 and Lung-RADS 2022."""

from collections.abc import Sequence

import numpy as np

from isocenter.core.finding import Category, Evidence, Finding, Measurement, ModelRef, Site
from isocenter.imaging.segment.lungs import LEFT, RIGHT, Lungs
from isocenter.imaging.segment.nodules import NoduleFit
from isocenter.knowledge.rules import apply_rule
from isocenter.knowledge.terms import term
from isocenter.reading.chest.axial import Axial
from isocenter.reading.chest.patient_facts import PatientFacts

METHOD = "ellipsoid fitted to the edge with partial volume modelled; axes of its largest axial section"


def nodule_findings(
    axial: Axial, nodules: Sequence[NoduleFit], lungs: Lungs, *, facts: PatientFacts, model: ModelRef
) -> tuple[Finding, ...]:
    """One finding per nodule in the order given, ids F1, F2, …

    Both guidelines speak of the examination by its most suspicious nodule: of solid ones the one of the greatest mean
    diameter, whose qualifier "rank" is "leading". Margins are not judged, so that a nodule on the pleura counts as
    solid and never as the smooth juxtapleural kind of Lung-RADS; its qualifier "margin" says so.
    """
    count = "single" if len(nodules) == 1 else "multiple"
    diameters = [sum(nodule.ellipsoid.axial_axes_mm) for nodule in nodules]
    findings = []
    for number, nodule in enumerate(nodules):
        side, zone = _place(nodule, axial, lungs)
        measured = _measurements(nodule, axial)
        qualifiers = {
            "kind": "lung-nodule",
            "density": "solid",
            "location": f"{side}-{zone}-zone",
            "attachment": f"attached-{nodule.attachment}",
            "rank": "leading" if number == int(np.argmax(diameters)) else "other",
            "setting": facts.setting,
        }
        if nodule.attachment == "pleura":
            qualifiers["margin"] = "margin-not-judged"
        findings.append(
            Finding(
                id=f"F{number + 1}",
                task="chest-ct",
                code=term("lung-nodule").code,
                site=Site(term("lung").code, "R" if side == "right" else "L"),
                evidence=(_evidence(nodule, axial),),
                measurements=measured,
                categories=_categories(measured[0].value, count, facts),
                model=model,
                qualifiers=qualifiers,
            )
        )
    return tuple(findings)


def nodule_mask(nodule: NoduleFit, axial: Axial) -> tuple[np.ndarray, tuple[slice, slice, slice]]:
    """Voxels whose centre lies in the fitted ellipsoid, and their box in the axial view; one voxel at least."""
    fit, spacing = nodule.ellipsoid, np.array(axial.spacing_mm)
    centre = fit.centre_mm / spacing
    reach = fit.semi_axes_mm[2] / spacing + 1
    low = np.clip(np.floor(centre - reach), 0, np.array(axial.array.shape) - 1).astype(int)
    high = np.minimum(np.ceil(centre + reach).astype(int) + 1, axial.array.shape)
    axes = [np.arange(a, b) * s for a, b, s in zip(low, high, spacing, strict=True)]
    mask = fit.distance_mm(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)) <= 1e-6
    nearest = np.clip(np.round(centre).astype(int), low, high - 1) - low
    mask[tuple(nearest)] = True
    return mask, (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))


def _evidence(nodule: NoduleFit, axial: Axial) -> Evidence:
    part, box = nodule_mask(nodule, axial)
    mask = axial.source_mask(part, box)
    centre = nodule.ellipsoid.centre_mm / np.array(axial.spacing_mm)
    index = axial.source_index(centre)
    x, y, z = axial.grid.to_world_mm(centre)
    frame = int(np.clip(round(float(index[0])), 0, axial.source.grid.shape[0] - 1))
    return Evidence(
        "mask", axial.source.source.series_uid, frame, voxels=mask.n_voxels, mask=mask,
        centre_lps_mm=(float(x), float(y), float(z)),
    )  # fmt: skip


def _measurements(nodule: NoduleFit, axial: Axial) -> tuple[Measurement, ...]:
    """Diameters to 0.1 mm as Lung-RADS counts them, volume, attenuation.

    The uncertainty of a diameter is that of two edges, each a tenth of the voxel's size across the edge, and twice
    that on the pleura, where part of the edge is hidden: about what phantoms of three makes showed.
    """
    fit = nodule.ellipsoid
    long_mm, short_mm = fit.axial_axes_mm
    edge_mm = 0.1 * float(np.mean(axial.spacing_mm)) * np.sqrt(2)
    edge_mm *= 2 if nodule.attachment == "pleura" else 1
    volume_sd = float(fit.volume_ml * 3 * edge_mm / max(long_mm, 1e-3))
    values = (
        ("mean_diameter", (long_mm + short_mm) / 2, "mm", edge_mm, f"mean of long and short axis; {METHOD}"),
        ("long_axis", long_mm, "mm", edge_mm, METHOD),
        ("short_axis", short_mm, "mm", edge_mm, METHOD),
        ("volume", fit.volume_ml, "ml", volume_sd, "volume of the fitted ellipsoid"),
        ("mean_hu", fit.inside_hu, "[hnsf'U]", None, "plateau of the fitted ellipsoid, free of partial volume"),
    )
    return tuple(Measurement(name, float(v), unit, term(name).code, how, sd) for name, v, unit, sd, how in values)


def _place(nodule: NoduleFit, axial: Axial, lungs: Lungs) -> tuple[str, str]:
    """Side and third of the lung's height: a zone, not a lobe."""
    centre = lungs.coarse.to_coarse(nodule.ellipsoid.centre_mm / np.array(axial.spacing_mm))
    k, j, i = np.clip(np.round(centre).astype(int), 0, np.array(lungs.hull.shape) - 1)
    label = int(lungs.hull[k, j, i])
    if label == 0:
        middle = float(np.nonzero(lungs.hull)[2].mean())
        label = RIGHT if i < middle else LEFT
    heights = np.flatnonzero((lungs.hull == label).any(axis=(1, 2)))
    share = (k - heights[0]) / max(np.ptp(heights), 1)
    zone = "upper" if share > 2 / 3 else "middle" if share > 1 / 3 else "lower"
    return ("right" if label == RIGHT else "left"), zone


def _categories(diameter_mm: float, count: str, facts: PatientFacts) -> tuple[Category, ...]:
    """Fleischner for incidental nodules, Lung-RADS for screening; the one that fits the setting comes first."""
    known = facts.rule_inputs()
    # Fleischner rounds to whole millimetres itself; Lung-RADS counts tenths.
    fleischner = apply_rule(
        "fleischner_2017", {"kind": "solid", "d": diameter_mm, "count": count, "risk": facts.risk, **known}
    )
    screening: dict[str, object] = {name: value for name, value in known.items() if name in ("age", "screening")}
    lung_rads = apply_rule("lung_rads_2022", {"kind": "solid", "d": round(diameter_mm, 1), **screening})
    return (lung_rads, fleischner) if facts.screening else (fleischner, lung_rads)
