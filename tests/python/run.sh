#!/usr/bin/env bash
# run.sh FOLDER TEST: a test of this folder with the environment that install.py has made in FOLDER; 77 where it has not.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
python=$1/venv/bin/python3
if [ ! -f "$1/venv/installed" ]; then
  printf 'skipped: not installed: the packages of tests/python/requirements.txt\n'
  exit 77
fi
cd -- "$here"
export PYTHONDONTWRITEBYTECODE=1
case $2 in
  types)
    cd ../..
    config=tools/python/pyproject.toml
    "$python" -m ruff check --no-cache --config "$config" tests/python tools/python
    "$python" -m ruff format --check --no-cache --config "$config" tests/python tools/python
    cd tools/python
    exec "$python" -m mypy --cache-dir "$1/mypy" --config-file pyproject.toml fovea declarations.py
    ;;
  *) exec "$python" "test_$2.py" ;;
esac
