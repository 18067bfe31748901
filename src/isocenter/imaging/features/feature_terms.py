"""The names of the features: tag, name, family and identifier of the reference manual, and the kind of unit.

Source: IBSI reference manual (arXiv:1612.07003); the table is `terms.csv`.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class FeatureTerm:
    """What the manual calls a feature.

    tag    without aggregation: "cm_contrast"
    kind   of unit: a unit of length, "1", or "i" (intensity), "i2", "i3" … as powers, "i.mm3"
    """

    tag: str
    name: str
    family: str
    ibsi_id: str
    kind: str

    def unit(self, intensity: str) -> str:
        """The unit of the feature for intensities of a unit.

        >>> FeatureTerm("stat_var", "Variance", "", "", "i2").unit("HU")
        'HU2'
        """
        if not self.kind.startswith("i"):
            return self.kind
        whole = f"({intensity})" if "/" in intensity or "." in intensity else intensity
        power = self.kind[1:]
        return intensity if not power else f"{whole}{power}"


@cache
def feature_terms() -> dict[str, FeatureTerm]:
    """All terms by tag, in the manual's order."""
    text = (files("isocenter.imaging.features") / "terms.csv").read_text(encoding="utf-8")
    return {row["tag"]: FeatureTerm(**row) for row in csv.DictReader(text.splitlines())}
