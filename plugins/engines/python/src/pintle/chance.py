"""Randomness from the batch context: the same seed gives the same values.

Not for secrets. Each event has its own stream, so that an event that is tried again, alone or in another batch,
gets the same ids. Everything in Python that wants randomness ends at `os.urandom` or at the generator behind
the functions of `random`; both are ours.
"""

import hashlib
import os
import random
import uuid

_sha256 = hashlib.sha256
_SHARED = (
    'seed random uniform triangular randint choice randrange sample shuffle choices normalvariate lognormvariate '
    'expovariate vonmisesvariate gammavariate gauss betavariate binomialvariate paretovariate weibullvariate '
    'getstate setstate getrandbits randbytes'
).split()


class _Stream:
    """Bytes made from any text."""

    def __init__(self):
        self.use('')

    def use(self, seed):
        self._seed = seed
        self._blocks = 0
        self._rest = b''

    def take(self, count):
        parts, have = [self._rest], len(self._rest)
        while have < count:
            block = f'{self._seed}\0{self._blocks}'.encode('utf-8', 'surrogatepass')
            parts.append(_sha256(block).digest())
            have += 32
            self._blocks += 1
        whole = b''.join(parts)
        self._rest = whole[count:]
        return whole[:count]


_bytes = _Stream()


def urandom(size, /):
    """As `os.urandom`."""
    if size < 0:
        raise ValueError('negative argument not allowed')
    return _bytes.take(size)


class _Shared(random.Random):
    """The generator behind `random.random()` and its like: sown when an event first asks it for something."""

    stale = False

    def _sow(self):
        self.stale = False
        super().seed(int.from_bytes(urandom(16)))

    def random(self):
        if self.stale:
            self._sow()
        return super().random()

    def getrandbits(self, k):
        if self.stale:
            self._sow()
        return super().getrandbits(k)

    def seed(self, a=None, version=2):
        self.stale = False
        super().seed(a, version)

    def getstate(self):
        if self.stale:
            self._sow()
        return super().getstate()

    def setstate(self, state):
        self.stale = False
        super().setstate(state)


_shared = _Shared(0)
_seed = random.Random.seed


def _seeded(self, a=None, version=2):
    """`Random.seed`, which without a seed of its own would take one that no event can have again."""
    _seed(self, int.from_bytes(urandom(32)) if a is None else a, version)


def use(seed):
    """Makes this text the source of all randomness."""
    _bytes.use(seed)
    _shared.stale = True
    # Two version 7 UUIDs in a row share a counter; those of two events do not.
    uuid._last_timestamp_v7 = None


def install():
    """Puts them where Python looks for them."""
    os.urandom = random._urandom = urandom
    random.Random.seed = _seeded
    random._inst = _shared
    for name in _SHARED:
        if hasattr(random, name):
            setattr(random, name, getattr(_shared, name))
    # There is no network card to ask. A locally administered address, as RFC 9562 has it for this case.
    uuid._node = 0x021300000001
    uuid._generate_time_safe = None
