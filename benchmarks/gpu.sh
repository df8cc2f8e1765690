#!/usr/bin/env bash
# The GPU check: benchmarks/gpu.py, with the wheels of the folder $WHEELS if it is set.
#
#     [WHEELS=DIR] [PYTHON=python3] [OUT=DIR] benchmarks/gpu.sh [--size short] [--out FILE]
#
# A machine that is lent for minutes has torch and no network. Wheels go into a folder of their own,
# before the machine's packages on the path; torch stays the machine's. `make gpu-wheels` gets them.
set -euo pipefail
out=${OUT:-runs/gpu}
mkdir -p "$out"
# Relative paths are those of whoever calls; modules are found from the repository.
OUT=$(cd "$out" && pwd)
if [[ -n ${WHEELS:-} && ! -d $WHEELS ]]; then
  echo "gpu.sh: $WHEELS: no such folder of wheels; make gpu-wheels makes one" >&2
  exit 2
fi
wheels=${WHEELS:+$(cd "$WHEELS" && pwd)}
python=$(command -v "${PYTHON:-python3}") || { echo "gpu.sh: ${PYTHON:-python3}: no such Python; set PYTHON" >&2; exit 2; }
repository=$(cd "$(dirname "$0")/.." && pwd)
export OUT PYTHONPATH="$repository${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
# The machine's own plugins of pytest are not ours to run.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1

if [[ -n $wheels ]]; then
  site=$(mktemp -d)
  trap 'rm -rf "$site"' EXIT
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
    --find-links "$wheels" --target "$site" --requirement "$repository/benchmarks/gpu_wheels.txt"
  export PYTHONPATH="$site:$PYTHONPATH"
fi
"$python" -m benchmarks.gpu "$@"
