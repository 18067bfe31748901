"""A radiomic feature: one number that describes a region of an image, under its standard name."""

import math
from dataclasses import dataclass

from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Feature:
    """A radiomic feature of one region.

    tag           short name that tables are joined by, the aggregation included: "cm_contrast_3D_avg"
    name          as the reference manual calls it: "Contrast"
    family        "Grey level co-occurrence matrix features" …
    ibsi_id       the manual's permanent identifier ("ACUI"); "" where it has none
    aggregation   how slices and directions were joined ("2D_avg" … "3D_comb"), "n/a" for a number of the whole region
    value         None where the number does not exist for this region (the skewness of a constant)
    unit          "mm3", "HU", "1" …

    Source: Zwanenburg A et al. Radiology 2020;295:328-338; reference manual arXiv:1612.07003.
    """

    tag: str
    name: str
    family: str
    ibsi_id: str
    aggregation: str
    value: float | None
    unit: str

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            raise InputError(f"feature {self.tag}: expected a finite number or none, got {self.value}")
