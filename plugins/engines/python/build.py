"""Builds the engine component: `python build.py OUT.wasm`, by a Python that has what requirements.txt names."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIT = HERE.parents[2] / 'wit'


def main(out):
    packages = Path(sysconfig.get_paths()['purelib'])
    tool = Path(sysconfig.get_path('scripts')) / 'componentize-py'
    with tempfile.TemporaryDirectory() as scratch:
        # Of the packages only this one: the interpreter sees every folder that it is given.
        shutil.copytree(packages / 'tzdata', Path(scratch, 'packages', 'tzdata'))
        made = Path(scratch, 'engine.wasm')
        command = [tool, '-d', WIT, '-w', 'script-engine-plugin', 'componentize', 'engine', '-o', made]
        command += ['-p', HERE / 'src', '-p', Path(scratch, 'packages')]
        # Its search for packages in the surroundings is not wanted.
        environment = {name: value for name, value in os.environ.items() if name not in ('VIRTUAL_ENV', 'PYTHONPATH')}
        built = subprocess.run(command, env=environment, capture_output=True, text=True)
        if built.returncode != 0 or not made.exists():
            sys.exit(f'componentize-py failed:\n{built.stdout}{built.stderr}')
        part = f'{out}.part'
        shutil.copyfile(made, part)
        os.replace(part, out)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        print('usage: python build.py OUT.wasm', file=sys.stderr)
        sys.exit(64)
    main(sys.argv[1])
