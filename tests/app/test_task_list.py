from isocenter.app.task_list import describe_tasks


def test_digests_are_those_of_the_packages(tmp_path):
    for row in describe_tasks(tmp_path):
        for model in row["models"]:
            assert model["digest"] == "no weights" or model["digest"].startswith("sha256:")
