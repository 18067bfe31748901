import inspect

from isocenter.core import errors


def test_every_error_is_ours_and_drawn_in_the_tree():
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(kind, errors.IsocenterError)
        assert name in (errors.__doc__ or "")


def test_input_errors_are_value_errors_too():
    assert issubclass(errors.UnknownSpacingError, ValueError)
