"""Builds a component, by a Python that has what requirements.txt names:

    python build.py engine OUT.wasm                        the engine
    python build.py transformation PREPARED.json OUT.wasm  a stand-alone transformation

PREPARED.json is `{"ctx", "modules"}`: what the host would hand to the engine's `load`.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIT = HERE.parents[2] / 'wit'


def build(world, app, out, prepared=None):
    packages = Path(sysconfig.get_paths()['purelib'])
    tool = Path(sysconfig.get_path('scripts')) / 'componentize-py'
    with tempfile.TemporaryDirectory() as scratch:
        # Of the packages only this one: the interpreter sees every folder that it is given.
        own = Path(scratch, 'packages')
        shutil.copytree(packages / 'tzdata', own / 'tzdata')
        if prepared is not None:
            (own / 'prepared.py').write_text(source_of(prepared))
        made = Path(scratch, 'out.wasm')
        command = [tool, '-d', WIT, '-w', world, 'componentize', app, '-o', made, '-p', HERE / 'src', '-p', own]
        # Its search for packages in the surroundings is not wanted.
        environment = {name: value for name, value in os.environ.items() if name not in ('VIRTUAL_ENV', 'PYTHONPATH')}
        built = subprocess.run(command, env=environment, capture_output=True, text=True)
        if built.returncode != 0 or not made.exists():
            sys.exit(f'componentize-py failed:\n{built.stdout}{built.stderr}')
        part = f'{out}.part'
        shutil.copyfile(made, part)
        os.replace(part, out)


def source_of(prepared):
    """The module `prepared`."""
    given = json.loads(Path(prepared).read_text())
    modules = [(module['name'], module['importName'], module['source']) for module in given['modules']]
    return f'RANDOM_SEED = {int(given["ctx"]["randomSeed"])}\nMODULES = {modules!r}\n'


if __name__ == '__main__':
    match sys.argv[1:]:
        case ['engine', out]:
            build('script-engine-plugin', 'engine', out)
        case ['transformation', prepared, out]:
            build('transformation-plugin', 'standalone', out, prepared)
        case _:
            print(__doc__, file=sys.stderr)
            sys.exit(64)
