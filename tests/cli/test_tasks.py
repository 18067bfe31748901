import json


def test_every_task_names_columns_model_and_performance(isocenter):
    code, out, _ = isocenter("tasks", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0 and set(rows) >= {"intake", "breast-us", "fetal-head", "chest-ct"}
    for row in rows.values():
        assert row["columns"] and row["models"]
        for model in row["models"]:
            assert model["limits"] and model["performance"], row["name"]
