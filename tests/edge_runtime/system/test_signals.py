"""How the program ends on SIGTERM, in this process."""

import signal

import pytest

from edge_runtime.system.signals import sigterm_is_an_end


def told_to_end(codes: set[int], closed: list[bool]) -> None:
    with sigterm_is_an_end(True, codes):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)  # while it ends already
            closed.append(True)


@pytest.mark.parametrize(("codes", "code"), [(set(), 0), ({2, 5, 3}, 5)])
def test_sigterm_ends_the_block(codes: set[int], code: int) -> None:
    before, closed = signal.getsignal(signal.SIGTERM), list[bool]()
    with pytest.raises(SystemExit) as ended:
        told_to_end(codes, closed)
    assert (ended.value.code, closed) == (code, [True])
    # Programs that are started later inherit an ignored signal.
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_stays_as_it_is_unless_wanted() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_is_an_end(False, set()):
        assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGTERM) is before
