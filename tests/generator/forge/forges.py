"""Adapters on the stand-in forge, for tests."""

import contextlib
import dataclasses

import pytest

from generator.forge.connect import connect
from generator.forge.credentials import Token
from generator.forge.location import locate
from generator.forge.port import ForgeKind
from generator.seal.secret import Secret
from tests.fake_forge import REPOSITORY, TOKEN, Store, serving


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, now=0.0):
        self.now, self.slept = now, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@dataclasses.dataclass
class Setting:
    """A served store, its address, and a clock."""

    store: Store
    url: str
    clock: Clock

    def port(self, kind, credentials=None):
        place = locate(f"{self.url}/{REPOSITORY}.git", kind=kind)
        given = credentials or Token(Secret(TOKEN))
        return connect(place, given, sleep=self.clock.sleep, clock=self.clock)


@contextlib.contextmanager
def setting():
    store = Store()
    with serving(store) as url:
        yield Setting(store, url, Clock())


every_forge = pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
