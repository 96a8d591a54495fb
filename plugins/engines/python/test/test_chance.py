import subprocess
import sys
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent

#: Installed for good, so in a process of its own.
PROGRAM = """
import sys
sys.path.insert(0, 'src')
from pintle import chance
import os, random, secrets, uuid
from random import shuffle
own = random.Random()
chance.install()

def draw():
    numbers = [1, 2, 3, 4, 5]
    random.shuffle(numbers)
    return (random.random(), random.randint(1, 10**9), random.gauss(), random.Random().random(),
            random.SystemRandom().random(), os.urandom(3).hex(), secrets.token_hex(4), str(uuid.uuid4()), numbers,
            random.choices('abc', k=3), random.getstate()[1][:2])

chance.use('seed/a'); first = draw()
chance.use('seed/b'); other = draw()
chance.use('seed/b'); os.urandom(100_000); random.random()
chance.use('seed/a'); again = draw()
assert first == again, (first, again)
assert all(one != two for one, two in zip(first[:8], other[:8])), (first, other)
random.seed(7); seven = random.random()
assert seven == random.Random(7).random(), 'a seed of the user is honoured within the event'
chance.use('seed/a'); assert draw() == first, 'and forgotten with the next'
assert len(os.urandom(1 << 20)) == 1 << 20
"""


class Chance(unittest.TestCase):
    def test_every_source_gives_the_same_for_the_same_seed(self):
        done = subprocess.run([sys.executable, '-c', PROGRAM], cwd=FOLDER, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''))
