from service.queue.superseded import Leftovers
from tests.service import scene


def test_what_gathers_is_cancelled_at_once():
    calls = []
    leftovers = Leftovers(calls.append, delay=0.05)
    leftovers.add(["a"])
    leftovers.add(["b", "c"])
    leftovers.add([])
    assert scene.wait_for(lambda: calls, every=0.01)
    assert calls == [["a", "b", "c"]]


def test_a_failure_is_no_reason_to_stop():
    calls = []

    def cancel(identities):
        calls.append(identities)
        if len(calls) == 1:
            raise OSError("away")

    leftovers = Leftovers(cancel, delay=60)
    for name in "ab":
        leftovers.add([name])
        leftovers.flush()
    assert calls == [["a"], ["b"]]
