import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import marching_cubes, mesh_surface_area

from isocenter.imaging.features.mesh import measure_surface

SPACING_MM = (3.0, 0.9, 0.7)


def blob(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.normal(size=(14, 30, 33)), 2.5) > 0.02


def test_one_voxel_is_an_octahedron():
    surface = measure_surface(np.ones((1, 1, 1), bool), spacing_mm=(2.0, 2.0, 2.0))
    assert np.isclose(surface.volume_mm3, 8 / 6)
    assert np.isclose(surface.area_mm2, 4 * 3**0.5)
    assert sorted(map(tuple, surface.vertices_mm.tolist()))[0] == (-1.0, 0.0, 0.0)


def test_a_box_loses_only_its_edges():
    surface = measure_surface(np.ones((4, 5, 6), bool), spacing_mm=(1.0, 1.0, 1.0))
    assert 4 * 5 * 6 * 0.93 < surface.volume_mm3 < 4 * 5 * 6
    assert np.allclose(np.ptp(surface.vertices_mm, axis=0), (4, 5, 6))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_volume_area_and_vertices_are_those_of_skimage(seed):
    mask = blob(seed)
    vertices, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(float), 0.5, spacing=SPACING_MM)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    ours = measure_surface(mask, spacing_mm=SPACING_MM)
    assert np.isclose(ours.volume_mm3, abs((corners[:, 0] * normals).sum() / 6), rtol=1e-3)
    assert np.isclose(ours.area_mm2, mesh_surface_area(vertices, faces), rtol=3e-3)
    # Their tables add a few points in the middle of ambiguous cubes.
    theirs = {tuple(point) for point in np.round((vertices / np.array(SPACING_MM) - 1) * 2).astype(int).tolist()}
    mine = {tuple(point) for point in np.round(ours.vertices_mm / np.array(SPACING_MM) * 2).astype(int).tolist()}
    assert mine <= theirs
    assert len(theirs - mine) < 0.002 * len(mine)


def test_turned_and_mirrored_masks_keep_their_volume():
    mask = blob(3)
    volume = measure_surface(mask, spacing_mm=(1.0, 1.0, 1.0)).volume_mm3
    for other in (mask[::-1], mask[:, ::-1, ::-1], mask.transpose(2, 0, 1)):
        assert np.isclose(measure_surface(other, spacing_mm=(1.0, 1.0, 1.0)).volume_mm3, volume)


def test_a_cavity_is_taken_out_of_the_volume():
    solid = np.ones((7, 7, 7), bool)
    hollow = solid.copy()
    hollow[3, 3, 3] = False
    step = (1.0, 1.0, 1.0)
    lost = measure_surface(solid, spacing_mm=step).volume_mm3 - measure_surface(hollow, spacing_mm=step).volume_mm3
    assert np.isclose(lost, 1 / 6)


def test_where_the_inside_touches_itself_across_an_edge_it_stays_connected():
    noise = np.random.default_rng(4).random((12, 13, 14)) > 0.5
    vertices, faces, _, _ = marching_cubes(np.pad(noise, 1).astype(float), 0.5)
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    theirs = abs((corners[:, 0] * normals).sum() / 6)
    # Cut apart instead, the volume would be a fifth smaller.
    assert np.isclose(measure_surface(noise, spacing_mm=(1.0, 1.0, 1.0)).volume_mm3, theirs, rtol=0.05)
