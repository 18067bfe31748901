import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from isocenter.app.demo_series import write_phantom_series
from isocenter.app.read_files import ReadOptions, read_paths
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME = "Secret^Person"


@pytest.fixture
def series(tmp_path) -> Path:
    """A CT without lungs: read, refused, and still a full folder about a named patient."""
    array = np.full((12, 48, 48), -1000, np.int16)
    array[:, 8:40, 8:40] = 40
    volume = Volume(array, Grid.of_spacing((12, 48, 48), (3, 2, 2)), "HU", "CT")
    write_phantom_series(volume, tmp_path / "series", patient_name=NAME)
    return tmp_path / "series"


@pytest.mark.parametrize("identity", [True, False])
def test_identity_is_in_html_pdf_and_sr_or_nowhere(series, tmp_path, case_seeing, identity):
    import pydicom
    from pypdf import PdfReader

    options = ReadOptions(case_seeing("Hand").models, NOW, identity=identity)
    outcome = read_paths([series], tmp_path / "out", options)
    assert outcome.failures == []
    folder = Path(outcome.reports[0].folder)
    pdf = "".join(page.extract_text() for page in PdfReader(io.BytesIO((folder / "report.pdf").read_bytes())).pages)
    html = (folder / "report.html").read_text(encoding="utf-8")
    structured = pydicom.dcmread(folder / "sr.dcm")
    assert ("Secret" in pdf, "Secret" in html, "Secret" in str(structured.PatientName)) == (identity,) * 3
    for name in ("report.json", "provenance.json"):
        assert "Secret" not in (folder / name).read_text(encoding="utf-8")
    assert "Secret" not in " ".join(failure.problem for failure in outcome.failures)
