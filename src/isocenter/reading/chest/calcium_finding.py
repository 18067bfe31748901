"""Calcium as a finding: Agatston and volume score with the category."""

import numpy as np

from isocenter.core.finding import Evidence, Finding, Measurement, ModelRef, Site
from isocenter.imaging.segment.calcium import Calcium
from isocenter.knowledge.rules import apply_rule
from isocenter.knowledge.terms import term
from isocenter.reading.chest.axial import Axial

METHOD = (
    "areas of 1 mm2 and more at 130 HU and more, weighted by peak, times slice increment / 3 mm; "
    "heart, coronary arteries and thoracic aorta together; denoised by non-local means where noise exceeds 6 HU"
)
SHARPENED = (
    "; scored as without the blur of the reconstruction (standard deviation {blur:.2f} pixels, read from the noise); "
    "as scanned the score is {as_scanned:.0f}"
)


def calcium_finding(axial: Axial, calcium: Calcium, *, number: int, model: ModelRef) -> Finding | None:
    """The calcium of the scan, None if there is none.

    The score's uncertainty, 2 % and 0.3 per HU of noise, is about what phantoms showed with up to 50 HU of noise; with
    the blur undone it is 2 % and what the noise leaves open.
    """
    score = calcium.score
    if score.agatston <= 0:
        return None
    areas = calcium.mask.sum(axis=(1, 2))
    best = int(areas.argmax())
    place = np.argwhere(calcium.mask).mean(axis=0) + [s.start for s in calcium.box]
    x, y, z = axial.grid.to_world_mm(place)
    last = axial.source.grid.shape[0] - 1
    index = axial.source_index(np.array([calcium.box[0].start + best, place[1], place[2]]))
    mask = axial.source_mask(calcium.mask, calcium.box)
    spread = 0.02 * score.agatston + (0.3 * calcium.noise_hu if calcium.blur is None else calcium.spread)
    method = METHOD
    if calcium.blur is not None:
        method += SHARPENED.format(blur=calcium.blur.sigma_pixels, as_scanned=calcium.as_scanned.agatston)
    measured = (
        Measurement("agatston_score", score.agatston, "1", term("agatston_score").code, method, spread),
        Measurement("calcium_volume", score.volume_mm3, "mm3", term("calcium_volume").code, method, None),
    )
    return Finding(
        id=f"F{number}",
        task="chest-ct",
        code=term("vascular-calcification").code,
        site=Site(term("heart").code),
        evidence=(
            Evidence(
                "mask", axial.source.source.series_uid, int(np.clip(round(float(index[0])), 0, last)),
                voxels=mask.n_voxels, mask=mask, centre_lps_mm=(float(x), float(y), float(z)),
            ),
        ),
        measurements=measured,
        categories=(apply_rule("agatston_category", {"score": round(score.agatston, 1)}),),
        model=model,
        qualifiers={"kind": "vascular-calcification"},
    )  # fmt: skip
