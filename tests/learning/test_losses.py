import math

import pytest
import torch

from isocenter.core.errors import InputError
from isocenter.learning.losses import build_loss, cross_entropy, dice_bce


def test_dice_bce_is_near_zero_for_a_sure_right_answer_and_large_for_a_wrong_one():
    target = torch.zeros(2, 1, 8, 8)
    target[:, :, 2:6, 2:6] = 1
    sure = (target * 2 - 1) * 20
    assert float(dice_bce(sure, target)) < 1e-4
    assert float(dice_bce(-sure, target)) > 5


def test_dice_bce_by_hand():
    # p = 1/2 everywhere, half of 4 pixels true: dice term 1 - (2*1 + 1) / (1 + 2 + 1), cross-entropy log 2
    logits, target = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert float(dice_bce(logits, target)) == pytest.approx(1 - 3 / 4 + 0.5 * math.log(2), abs=1e-6)


def test_cross_entropy_of_no_opinion_is_log_of_the_number_of_classes():
    assert float(cross_entropy(torch.zeros(3, 4), torch.tensor([0, 1, 3]))) == pytest.approx(math.log(4))


def test_losses_come_by_name_with_options():
    loss = build_loss({"name": "dice_bce", "bce": 0.0})
    assert float(loss(torch.full((1, 1, 4, 4), 50.0), torch.ones(1, 1, 4, 4))) == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(InputError, match="loss"):
        build_loss({"name": "hinge"})
