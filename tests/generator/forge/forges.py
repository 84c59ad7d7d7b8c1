"""Adapters on the stand-in forge, for tests."""

import contextlib
import dataclasses

from cryptography.hazmat.primitives import serialization

from generator.forge.connect import connect
from generator.forge.credentials import App, Token
from generator.forge.location import locate
from generator.redaction.secret import Secret
from tests.fakes.forge import REPOSITORY, TOKEN, Store, serving
from tests.generator.seal.keypair import private_key


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


def app_key(number=0):
    """A private key in the form in which GitHub hands it out."""
    return Secret(
        private_key(number).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def with_app(world, *, user=701):
    """Let the GitHub App `gen-env` be installed; gives its credentials."""
    store = world.store
    store.app_key = private_key().public_key()
    store.users[user] = "gen-env[bot]"
    store.rights[user] = "write"
    world.clock.now = store.clock = 1_800_000_000.0
    return App("12", app_key())
