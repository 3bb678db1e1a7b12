# SPDX-License-Identifier: EUPL-1.2
"""Actions that repeat themselves: an error is shown once until one has succeeded, whatever kind of error it is."""

import pytest
from PySide6.QtCore import QObject

from app.errors import BadSetting, StoreFault, WorldError
from ui.kit import tasks
from ui.kit.tasks import Recurring


class Action:
    """Raises what it is told to."""

    def __init__(self) -> None:
        self.error: WorldError | None = None

    def __call__(self) -> None:
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [StoreFault(), BadSetting()])
def test_an_error_is_shown_once_until_an_action_has_succeeded(
    errors_shown: list[tuple[Exception, tasks.Again]], error: WorldError
) -> None:
    owner, action = QObject(), Action()
    recurring = Recurring(owner)
    assert recurring.run_guarded(action)
    action.error = error
    assert [recurring.run_guarded(action) for _ in range(3)] == [False, False, False]
    assert [e for e, _ in errors_shown] == [error]
    assert (errors_shown[0][1] is not None) == isinstance(error, StoreFault), "Try again is offered if the disk refused"
    action.error = None
    assert recurring.run_guarded(action)
    action.error = error
    assert not recurring.run_guarded(action)
    assert [e for e, _ in errors_shown] == [error, error]


def test_a_fault_of_our_own_code_goes_on_whether_an_error_was_shown_or_not(
    errors_shown: list[tuple[Exception, tasks.Again]],
) -> None:
    owner, action = QObject(), Action()
    recurring = Recurring(owner)

    def wrong() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        recurring.run_guarded(wrong)
    action.error = BadSetting()
    assert not recurring.run_guarded(action)
    with pytest.raises(ZeroDivisionError):
        recurring.run_guarded(wrong)
    assert len(errors_shown) == 1
