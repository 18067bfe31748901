import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.study import Study
from isocenter.core.volume import Facts, Volume
from isocenter.reading.read import TASKS, load_task, read_study, route_image


def picture(array: np.ndarray, modality: str = "", body_part: str = "") -> Volume:
    return Volume(
        array[np.newaxis], Grid.of_pixels((1, *array.shape[:2])), modality=modality, facts=Facts(body_part=body_part)
    )


@pytest.mark.parametrize("name", TASKS)
def test_every_listed_task_is_there_and_has_its_name(name):
    assert load_task(name).name == name
    assert load_task(name).columns


def test_an_unknown_task_is_refused_with_the_list():
    with pytest.raises(InputError, match="intake, breast-us, fetal-head, chest-ct"):
        load_task("toe-mr")


def test_a_header_that_says_enough_routes_without_looking(blobs, case_seeing):
    route = route_image(picture(blobs, "US", "BREAST"), case_seeing("Hand"))
    assert route.task is not None and route.task.name == "breast-us" and route.intake is None


@pytest.mark.parametrize(("seen", "task"), [("BreastUS", "breast-us"), ("FetalUS", "fetal-head"), ("Hand", None)])
def test_without_a_header_the_pixels_route(blobs, case_seeing, seen, task):
    route = route_image(picture(blobs), case_seeing(seen))
    assert (route.task.name if route.task else None) == task


def test_a_picture_that_fits_no_task_says_what_intake_saw(blobs, case_seeing):
    (reading,) = read_study(Study(volumes=(picture(blobs),)), case_seeing("Hand"))
    assert reading.abstained is not None and reading.abstained.code == "no-task"
    assert reading.predictions["p_Hand"] > 0.99 and reading.findings == ()


def test_a_foreign_picture_is_routed_nowhere(blobs, case_seeing):
    (reading,) = read_study(Study(volumes=(picture(blobs),)), case_seeing("foreign"))
    assert reading.abstained is not None and reading.abstained.code == "no-task"


def test_a_task_asked_for_by_name_refuses_another_modality(blobs, case_seeing):
    (reading,) = read_study(Study(volumes=(picture(blobs, "MR"),)), case_seeing("BreastUS"), task="breast-us")
    assert reading.abstained is not None and reading.abstained.code == "wrong-input"


def test_of_a_cine_the_middle_frame_is_read(blobs, case_seeing):
    dark = np.zeros_like(blobs)
    cine = Cine(
        np.stack([dark, blobs, dark])[:, np.newaxis], np.arange(3.0), Grid.of_pixels((1, *blobs.shape)), modality="US"
    )
    (reading,) = read_study(Study(volumes=(cine,)), case_seeing("BreastUS"), task="breast-us")
    assert reading.abstained is None


def test_a_nifti_with_air_and_tissue_peaks_is_read_as_ct(case_seeing):
    array = np.full((16, 32, 32), -1000, np.float32)
    array[:, 8:24, 8:24] = 40
    volume = Volume(array, Grid.of_spacing((16, 32, 32), (2, 1, 1)))
    (reading,) = read_study(Study(volumes=(volume,)), case_seeing("Hand"))
    assert reading.task == "chest-ct"
    assert reading.abstained is not None  # no lungs in a box


def test_the_callers_pixel_size_does_not_overrule_the_header(blobs, case_seeing):
    from isocenter.reading.read import _with_pixel_size

    case = case_seeing("FetalUS", context={"pixel_size_mm": 0.2})
    assert _with_pixel_size(picture(blobs), case).grid.spacing_mm[1] == pytest.approx(0.2)
    stated = Volume(blobs[np.newaxis], Grid.of_spacing((1, *blobs.shape), (1, 0.3, 0.3)))
    assert _with_pixel_size(stated, case).grid.spacing_mm[1] == pytest.approx(0.3)
