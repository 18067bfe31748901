import numpy as np
import pytest

from isocenter.imaging.features.extra import extra_features
from isocenter.imaging.features.mesh import measure_surface
from isocenter.imaging.features.roi import Roi
from isocenter.imaging.features.texture import level_region

SPACING_MM = (3.0, 0.9, 1.3)


def found_in(mask: np.ndarray, levels: np.ndarray, image: np.ndarray, aggregations=("3D_avg",)) -> dict:
    return extra_features(
        Roi(image, mask, mask, SPACING_MM, "HU"), level_region(levels[mask], mask, mask), aggregations
    )


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    mask = rng.random((5, 8, 7)) > 0.6
    return mask, rng.integers(1, 5, mask.shape), rng.normal(40, 20, mask.shape)


def test_diameters_are_the_longest_between_vertices_of_one_plane(noise):
    found = found_in(*noise)
    vertices = measure_surface(noise[0], spacing_mm=SPACING_MM).vertices_mm
    apart = np.linalg.norm(vertices[:, None] - vertices, axis=2)
    for axis, name in enumerate(("slice", "row", "column")):
        together = np.isclose(vertices[:, None, axis], vertices[None, :, axis])
        assert np.isclose(found[f"morph_diam_{name}"], apart[together].max())


def test_total_energy_is_energy_times_the_voxel(noise):
    mask, _, image = noise
    assert np.isclose(found_in(*noise)["stat_total_energy"], (image[mask] ** 2).sum() * 3 * 0.9 * 1.3)


def test_the_maximal_correlation_is_that_of_the_definition(noise):
    mask, levels, _ = noise
    inside = np.where(mask, levels, 0)
    values = []
    for step in [(k, j, i) for k in (-1, 0, 1) for j in (-1, 0, 1) for i in (-1, 0, 1) if (k, j, i) > (0, 0, 0)]:
        joint = np.zeros((4, 4))
        for place in np.argwhere(inside):
            other = place + step
            if (other >= 0).all() and (other < inside.shape).all() and inside[tuple(other)]:
                joint[inside[tuple(place)] - 1, inside[tuple(other)] - 1] += 1
        joint = joint + joint.T
        joint /= joint.sum()
        row = joint.sum(axis=1)
        matrix = np.einsum("ik,jk,i,k->ij", joint, joint, 1 / row, 1 / row)
        values.append(np.sqrt(np.sort(np.linalg.eigvals(matrix).real)[-2]))
    assert np.isclose(found_in(*noise)["cm_mcc_3D_avg"], np.mean(values))


def test_one_level_is_fully_correlated_and_one_voxel_is_not_known(noise):
    mask, levels, image = noise
    assert found_in(mask, np.ones_like(levels), image)["cm_mcc_3D_avg"] == 1
    dot = np.zeros_like(mask)
    dot[2, 2, 2] = True
    assert np.isnan(found_in(dot, levels, image)["cm_mcc_3D_avg"])
    assert "cm_mcc_3D_avg" not in found_in(mask, levels, image, aggregations=("2D",))
