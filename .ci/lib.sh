# What .ci/run is made of. A step's output goes to a log, of which the end is shown if it fails.

find_python() { # VERSION: prints the path of an interpreter that really is of this version
  local candidate
  for candidate in "$(command -v "python$1" || true)" \
    "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1"*/bin/python; do
    if [ -x "$candidate" ] && [ "$("$candidate" -c \
      'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ]; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return 0
    fi
  done
  return 1
}

step() { # NAME COMMAND…: runs it, prints a line, and keeps the result for the summary
  local name=$1 log start=$SECONDS took
  shift
  log=$LOGS/${name//[^A-Za-z0-9.]/_}.log
  if ("$@") >"$log" 2>&1; then # in a shell of its own: a step may change its folder
    took=$((SECONDS - start))
    echo "ok      $name ($took s)" | tee -a "$LOGS/results"
    return 0
  fi
  took=$((SECONDS - start))
  {
    echo "---- $name: the end of its output"
    tail -n 60 "$log"
    echo "----"
    echo "FAILED  $name ($took s)" | tee -a "$LOGS/results"
  }
  return 1
}

skip() { # NAME REASON
  echo "absent  $1: $2" | tee -a "$LOGS/results"
}

summary() { # prints all results; fails if a step did, or if there were none
  echo
  echo "What was run, in $((SECONDS / 60)) min $((SECONDS % 60)) s:"
  sed 's/^/  /' "$LOGS/results"
  ! grep -q '^FAILED' "$LOGS/results" && grep -q '^ok' "$LOGS/results"
}

make_venv() { # FOLDER PYTHON ARGUMENT…: a fresh venv with `pip install ARGUMENT…`
  local folder=$1 python=$2
  shift 2
  rm -rf "$folder"
  "$python" -m venv "$folder" &&
    "$folder/bin/pip" install -q --upgrade pip &&
    "$folder/bin/pip" install -q "$@"
}

build_main() { # the README's second command and the benchmarks', in a venv of this clone
  local key
  key=$(cat pyproject.toml .ci/lib.sh | sha256sum | cut -c1-16)
  if [ "$(cat "$MAIN/.key" 2>/dev/null)" != "$key" ]; then
    make_venv "$MAIN" "$PYTHON" -e '.[test,bench]' && echo "$key" >"$MAIN/.key"
  fi
}

wait_for_main() {
  until [ -e "$LOGS/main-ready" ]; do
    [ ! -e "$LOGS/main-failed" ] || return 1
    sleep 1
  done
}

old_env() { # NAME: the folder of an old environment
  local requirements=.ci/requirements/$1.txt
  echo "$CACHE/$1-$(sha256sum "$requirements" | cut -c1-16)"
}

build_old() { # NAME VERSION
  local name=$1 version=$2 folder python
  folder=$(old_env "$name")
  [ ! -e "$folder" ] || return 0
  if ! python=$(find_python "$version"); then
    skip "$name" "Python $version was found neither on PATH nor under pyenv"
    return 1
  fi
  # Made beside its place and moved there whole: a run that is killed leaves no half environment.
  step "install $name" make_venv "$folder.$$" "$python" -r ".ci/requirements/$name.txt" &&
    mv "$folder.$$" "$folder"
}

check_old() { # NAME TARGET…: the tests and the proof for these targets; of $SPECS where it is set
  local name=$1 folder target paths=()
  folder=$(old_env "$name")
  shift
  [ -e "$folder" ] || return 0
  for target in "$@"; do
    paths+=("tests/$target" tests/{peers,end_to_end}/*"${target%_v2}"*)
  done
  step "tests on $name: $*" "$folder/bin/python" -m pytest -q "${paths[@]}"
  if [[ " $* " == *" tf1 "* ]]; then
    export OPTDSL_FRAMEWORK_PYTHON=$folder/bin/python
    step "kernels on $name" "$MAIN/bin/python" -m pytest -q tests/kernels
  fi
  for target in "$@"; do
    step "proof on $name: $target" \
      "$MAIN/bin/optdsl" verify -t "$target" --python "$folder/bin/python" ${SPECS:-}
  done
}

check_wheel() { # the wheel alone, in a folder far from this clone, gives the committed files
  local folder=$ROOT/.ci-cache/wheel target
  make_venv "$folder" "$PYTHON" build || return
  "$folder/bin/python" -m build -q --wheel --outdir "$folder/dist" . || return
  make_venv "$folder/venv" "$PYTHON" "$folder"/dist/optdsl-*.whl || return
  mkdir -p "$folder/empty" && cd "$folder/empty" || return
  ../venv/bin/optdsl gen -o out $(cd "$ROOT/specs" && find . -name '*.opt' -exec basename {} .opt \; | sort) || return
  for target in numpy tf1 keras_v2; do
    diff -r -I '^# ' -x __init__.py "$ROOT/generated/$target" "out/$target" || return
  done
}
