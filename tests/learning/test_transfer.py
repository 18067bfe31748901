import pytest

torch = pytest.importorskip("torch")

from isocenter.core.errors import InputError  # noqa: E402
from isocenter.learning.config import config_from_mapping  # noqa: E402
from isocenter.learning.networks.build import build_network, load_trunk  # noqa: E402
from isocenter.learning.transfer import with_start  # noqa: E402


def config(**start):
    return config_from_mapping(
        {
            "task": "t", "kind": "classification", "dataset": "busi", "seed": 1,
            "prepare": [{"op": "scale"}],
            "augment": [{"op": "gamma", "strength": 0.2}],
            "network": {"name": "classifier", "classes": 3, "widths": [4, 6, 8, 8]},
            "loss": {"name": "cross_entropy"}, "fit": {"epochs": 1}, "start": start,
        }
    )  # fmt: skip


def test_without_a_start_the_configuration_stays_as_it_is(tmp_path):
    assert with_start(config(), tmp_path) == config()


def test_a_start_is_made_once_and_fills_the_trunk(tmp_path):
    started = with_start(config(name="breast-phantoms", steps=2, batch=2, size=32), tmp_path)
    path = tmp_path / "start.pt"
    assert started.start == {"weights": str(path)}
    before = path.stat().st_mtime_ns
    with_start(config(name="breast-phantoms", steps=2, batch=2, size=32), tmp_path)
    assert path.stat().st_mtime_ns == before
    network = build_network(started.network)
    load_trunk(network, path)
    weights = torch.load(path, weights_only=True)
    assert not any(name.startswith("head.") for name in weights)
    torch.testing.assert_close(network.state_dict()["stem.0.weight"], weights["stem.0.weight"])


def test_a_start_for_another_network_is_refused(tmp_path):
    with_start(config(name="breast-phantoms", steps=1, batch=2, size=32), tmp_path)
    other = build_network({"name": "classifier", "classes": 3, "widths": [4, 6]})
    with pytest.raises(InputError, match="trunk"):
        load_trunk(other, tmp_path / "start.pt")


def test_an_unknown_start_is_refused(tmp_path):
    with pytest.raises(InputError, match="breast-phantoms"):
        with_start(config(name="photographs", steps=1), tmp_path)
