"""Time zones. Python reads them from files, and there are none at run time: so they are read when we are built."""

import importlib.resources
import io
import zoneinfo
from zoneinfo import _common

_zones = {}


def _load(key):
    if key not in _zones:
        raise zoneinfo.ZoneInfoNotFoundError(f'No time zone found with key {key}')
    return io.BytesIO(_zones[key])


def install():
    """Reads the zones of the `tzdata` package, and makes `zoneinfo` take them from memory."""
    package = importlib.resources.files('tzdata')
    for key in package.joinpath('zones').read_text().split():
        _zones[key] = package.joinpath('zoneinfo', *key.split('/')).read_bytes()
    zoneinfo.reset_tzpath(to=[])
    _common.load_tzdata = _load
    zoneinfo.available_timezones = lambda: set(_zones)
