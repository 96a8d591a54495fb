"""Tests of the parts that need no component: `python -m unittest` in the engine's folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'src'))
