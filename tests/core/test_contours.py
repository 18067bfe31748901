import numpy as np
import pytest

from isocenter.core.contours import Structure
from isocenter.core.errors import GeometryError

TRIANGLE = np.array([(0.0, 0, 0), (1, 0, 0), (0, 1, 0)])


def test_an_outline_is_three_finite_points_or_more():
    assert Structure(1, "a", (TRIANGLE,)).outlines[0] is TRIANGLE
    with pytest.raises(GeometryError, match="3 points or more"):
        Structure(1, "a", (TRIANGLE[:2],))
    with pytest.raises(GeometryError, match="finite"):
        Structure(1, "a", (TRIANGLE * np.nan,))
