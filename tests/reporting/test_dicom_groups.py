from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.finding import Code, Evidence, ModelRef
from isocenter.reporting.dicom_groups import Sources, concept, measurement_group
from isocenter.reporting.dicom_source import source_series
from isocenter.reporting.dicom_sr import build_sr


def _sources(sample, seg=None):
    series = {uid: source_series(uid, [sample.volume], sample.headers) for uid in sample.headers}
    return Sources(sample.report, series, seg)


def test_a_concept_fits_its_fields():
    made = concept(Code("99ISO", "x" * 20, "m" * 80))
    assert made.value == "x" * 20 and len(made.meaning) == 64


def test_sources_remember_what_was_referred_to(samples):
    sample = samples.chest()
    sources = _sources(sample)
    assert [str(header.SOPInstanceUID) for header in sources.used_headers()] == ["1.2.3.4.5.1"]
    sources.locate(sample.report.findings[0].evidence[0], 5)
    assert [str(header.SOPInstanceUID) for header in sources.used_headers()] == ["1.2.3.4.5.6"]
    assert sources.first_header().SOPInstanceUID == "1.2.3.4.5.1"
    with pytest.raises(InputError, match="headers"):
        sources.locate(Evidence("points", "9.9", points_index=np.zeros((1, 3))), 0)


def test_without_a_segmentation_a_mask_is_the_box_around_it_on_its_best_image(samples):
    sample = samples.chest()
    group = measurement_group(sample.report.findings[0], _sources(sample))
    rows, columns = np.nonzero(sample.report.findings[0].evidence[0].mask.array[5])
    outline = group.roi.value
    assert outline[:, 0].tolist()[:2] == [columns.min(), columns.max() + 1]
    assert outline[:, 1].tolist()[1:3] == [rows.min(), rows.max() + 1]


def test_the_model_is_named_with_version_and_digest(samples):
    sample = samples.breast()
    (group,) = measurement_group(sample.report.findings[0], _sources(sample))
    texts = [item.TextValue for item in group.ContentSequence if item.ValueType == "TEXT"]
    assert texts[1:] == ["breast-us", "1.0.0", sample.report.findings[0].model.digest]


def test_a_method_without_weights_has_no_empty_text(samples, dicom_errors):
    sample = samples.breast()
    finding = replace(sample.report.findings[0], model=ModelRef("chest-ct", "", ""))
    report = replace(sample.report, findings=(finding,))
    assert dicom_errors(build_sr(report, sample.headers)) == []
