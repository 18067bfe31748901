from isocenter.learning.evaluation_page import render_page


def test_the_page_escapes_what_the_data_say():
    result = {
        "model": {"name": "<b>", "version": "1"}, "data": "<script>", "n": 1, "subgroups": {},
        "figures": {"x<y": {"value": 1.0, "low": 0.5, "high": 1.0, "n": 3}},
    }  # fmt: skip
    page = render_page(result)
    assert "<script>" not in page and "x&lt;y" in page and "0.5 to 1" in page
