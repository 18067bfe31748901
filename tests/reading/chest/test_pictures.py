import numpy as np

from isocenter.reading.chest.pictures import chest_figures, nodule_figure


def test_a_nodules_picture_shows_it_outlined_in_yellow(axial, nodule):
    figure = nodule_figure(axial, nodule, "F1")
    assert figure.image.dtype == np.uint8
    assert figure.values == {"finding": "F1", "slice": "31"}
    yellow = (np.abs(figure.image.astype(int) - (240, 228, 66)) < 30).all(axis=2)
    assert yellow.sum() > 200


def test_there_is_an_overview_even_without_findings(axial):
    assert [f.name for f in chest_figures(axial, [], None, "")] == ["overview"]
