"""All radiomic features of a region: `extract_features` is the one function that most callers need.

Source: Zwanenburg A et al. The Image Biomarker Standardization Initiative. Radiology 2020;295:328-338; reference manual
arXiv:1612.07003.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np

from isocenter.core.feature import Feature
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.discretise import discretise
from isocenter.imaging.features.extra import extra_features
from isocenter.imaging.features.feature_terms import feature_terms
from isocenter.imaging.features.histogram import histogram_features, volume_histogram_features
from isocenter.imaging.features.intensity_statistics import statistics_features
from isocenter.imaging.features.local_intensity import local_intensity_features
from isocenter.imaging.features.morphological import morphological_features
from isocenter.imaging.features.radiomics_config import AGGREGATIONS, RadiomicsConfig
from isocenter.imaging.features.roi import Roi, prepare_roi
from isocenter.imaging.features.texture import PREFIXES, level_region, texture_features

# The area under the intensity-volume curve has no reference value and is left open.
NOT_COMPUTED: Final = frozenset({"ivh_auc"})
_WHOLE: Final = "n/a"


def extract_features(volume: Volume, mask: Mask, config: RadiomicsConfig) -> tuple[Feature, ...]:
    """The features of a mask on an image, in the reference manual's order of families.

    A feature that does not exist for this region has the value None: the skewness of a constant, the texture of a
    single voxel, a length where nobody stated the pixel size.

    >>> from isocenter.core.grid import Grid
    >>> from isocenter.imaging.features.radiomics_config import builtin_configs
    >>> grid = Grid.of_spacing((3, 3, 3), (1.0, 1.0, 1.0))
    >>> image = Volume(np.arange(27.0).reshape(3, 3, 3), grid, "HU")
    >>> found = extract_features(image, Mask(np.ones((3, 3, 3), bool), grid), builtin_configs()["classic"])
    >>> next(feature.value for feature in found if feature.tag == "stat_mean")
    13.0

    Raises what `prepare_roi` and `discretise` raise.
    """
    roi = prepare_roi(volume, mask, config)
    left_out = config.leave_out
    values = {
        tag: value
        for tag, value in (_region_features(roi, config) | _level_features(roi, config)).items()
        if _stem(tag) not in left_out and tag not in left_out
    }
    return tuple(_feature(tag, value, roi.unit) for tag, value in values.items())


def feature_table(features: Iterable[Feature]) -> dict[str, float]:
    """Values by tag; NaN for features without one: a row of a table of many regions."""
    return {feature.tag: np.nan if feature.value is None else feature.value for feature in features}


def _region_features(roi: Roi, config: RadiomicsConfig) -> dict[str, float]:
    """Families that need no grey levels."""
    found: dict[str, float] = {}
    if "morphology" in config.families:
        without = {tag.removeprefix("morph_") for tag in config.leave_out if tag.startswith("morph_")}
        found |= _prefixed("morph", morphological_features(roi, leave_out=without))
    if "local" in config.families:
        found |= _prefixed("loc", local_intensity_features(roi))
    if "statistics" in config.families:
        found |= _prefixed("stat", statistics_features(roi.values))
    return found


def _level_features(roi: Roi, config: RadiomicsConfig) -> dict[str, float]:
    """Families that count grey levels."""
    found: dict[str, float] = {}
    textures = [family for family in PREFIXES if family in config.families]
    with_extra = "extra" in config.families
    # The range counts the image's intensities, so it says nothing of a filter's response.
    bounds = (None, None) if config.filter else config.range
    if "histogram" in config.families or textures or with_extra:
        levels = discretise(roi.values, config.texture, low=bounds[0])
    if "histogram" in config.families:
        found |= _prefixed("ih", histogram_features(levels))
    if "ivh" in config.families:
        found |= _prefixed("ivh", volume_histogram_features(roi.values, config.ivh, bounds=bounds))
    if textures or with_extra:
        region = level_region(levels, roi.mask, roi.shape_mask)
        found |= texture_features(region, textures, config.aggregations)
        if with_extra:
            found |= extra_features(roi, region, config.aggregations)
    return found


def _prefixed(prefix: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{tag}": value for tag, value in values.items()}


@cache
def _stem(tag: str) -> str:
    """The tag without its aggregation."""
    for aggregation in AGGREGATIONS:
        if tag.endswith(f"_{aggregation}"):
            stem = tag.removesuffix(f"_{aggregation}")
            if stem in feature_terms():
                return stem
    return tag


def _feature(tag: str, value: float, unit: str) -> Feature:
    stem = _stem(tag)
    term = feature_terms()[stem]
    aggregation = tag[len(stem) + 1 :] or _WHOLE
    number = float(value) if np.isfinite(value) else None
    return Feature(tag, term.name, term.family, term.ibsi_id, aggregation, number, term.unit(unit))
