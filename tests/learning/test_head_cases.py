import numpy as np
import pytest

from isocenter.core.card import PrepareStep
from isocenter.learning.datasets_hc18 import list_examples
from isocenter.learning.head_cases import mask_margin_px, see_heads, see_strangers

STEPS = (PrepareStep("gray"), PrepareStep("resize", {"rows": 96, "columns": 128}))


def bright_is_head(images):
    return {"logits": (images - 105.0) / 10, "features": np.zeros((len(images), 2))}


def test_a_perfect_look_has_small_errors_and_a_blank_one_no_fit(head_data):
    examples = list_examples(head_data, {}).examples[:6]
    smooth = [PrepareStep("gray"), PrepareStep("resize", {"rows": 48, "columns": 64})]
    cases = see_heads(bright_is_head, examples, smooth, margin_px=0.0)
    assert min(case.overlap for case in cases) > 0.95
    assert max(abs(case.error_mm) / case.circumference_mm for case in cases) < 0.05
    blank = see_heads(
        lambda x: {"logits": -np.ones_like(x), "features": np.zeros((1, 2))}, examples, STEPS, margin_px=0
    )
    assert all(case.fit is None and np.isnan(case.error_mm) for case in blank)


def test_the_margin_is_what_the_masks_stand_over(head_data):
    examples = list_examples(head_data, {}).examples[:6]
    assert abs(mask_margin_px(examples, STEPS)) < 0.1


@pytest.mark.data
def test_the_masks_of_hc18_stand_half_a_prepared_pixel_over_the_measured_outline(data_dir):
    """Perimeter of mask minus reference is 4.4 half-size pixels in all of them: 0.70 px, 0.49 at 288 columns."""
    examples = list_examples(data_dir / "hc18_fetal_head_us", {}).examples[::30]
    steps = [PrepareStep("resize", {"rows": 192, "columns": 288, "fit": "pad"})]
    assert mask_margin_px(examples, steps) == pytest.approx(0.495, abs=0.03)


def test_strangers_are_seen_without_a_truth(head_data):
    from isocenter.learning.data import volume_of_picture

    cases = see_strangers(bright_is_head, [volume_of_picture(np.zeros((96, 128), np.uint8))], STEPS)
    assert cases[0].fit is None and cases[0].features.shape == (2,)
