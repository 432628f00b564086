# Sourced by bin/lazaret and bin/run: brings the dependencies in, and finds the Node that runs us.
#
#   set_up production|all   sets $node, after `npm ci` where the stamp does not equal the lock file
#   run_node FILE ARGS…     becomes that Node
#
# $root is the checkout. The stamp says `HASH SCOPE NODE`: the SHA-256 of package-lock.json, `production` or `all`
# (development packages too), `own` (the Node among the packages runs here) or `path` (it doesn't, use the PATH's).
# It is written last, so a killed `npm ci` leaves none, whatever it leaves of the folder.

stamp=$root/node_modules/.lazaret-setup

set_up() {
  hash=$(lock_hash)
  if ! is_set_up "$1"; then
    with_lock install_unless_done "$1"
    is_set_up "$1" || fail "set-up ended without its stamp in $root/node_modules"
  fi
  node=$(find_node "$stamped_node") || fail "needs Node 24.15 or newer on the PATH, as none that runs here came with the packages"
}

run_node() {
  if [ -z "${NODE_COMPILE_CACHE:-}" ]; then
    cache=$root/node_modules/.cache/compile
    if [ ! -w "$root/node_modules" ] && [ ! -d "$cache" ]; then cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/lazaret/compile; fi
    export NODE_COMPILE_CACHE="$cache"
  fi
  # V8 keeps two halves of its young space resident: four megabytes each in place of sixteen. And glibc gives back what was freed.
  export MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-131072}"
  exec "$node" --max-semi-space-size=4 "$@"
}

is_set_up() {
  stamped_hash= stamped_scope= stamped_node=
  if [ -r "$stamp" ]; then read -r stamped_hash stamped_scope stamped_node <"$stamp" || return 1; fi
  [ "$stamped_hash" = "$hash" ] && { [ "$stamped_scope" = all ] || [ "$1" = production ]; }
}

lock_hash() {
  if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$root/package-lock.json"); else sum=$(shasum -a 256 <"$root/package-lock.json"); fi
  printf '%s' "${sum%% *}"
}

# Whoever waited for the lock may find the work done.
install_unless_done() {
  is_set_up "$1" && return
  scope=$1
  if [ -d "$root/node_modules/typescript" ]; then scope=all; fi
  command -v npm >/dev/null || fail "needs npm on the PATH to install its packages (npm ci in $root)"
  if [ "$scope" = all ]; then include=--include=dev; else include=--omit=dev; fi
  # Development packages are added beside the others: `npm ci` would take those away under a running server first.
  if [ "$stamped_hash" = "$hash" ]; then how='install --no-save'; else how=ci; fi
  rm -f "$stamp"
  say "installing packages: npm $how $include in $root"
  # shellcheck disable=SC2086
  (cd "$root" && npm $how "$include" --no-audit --no-fund --loglevel=error </dev/null >&2) || fail "npm $how failed in $root"
  kind=path
  if own=$(own_node); then
    if told=$("$own" --version 2>&1); then kind=own; else say "the Node that comes with the packages does not run here: $told"; fi
    case $told in *libatomic*) say "on Debian: apt-get install libatomic1" ;; esac
  fi
  printf '%s %s %s\n' "$hash" "$scope" "$kind" >"$stamp.$$"
  mv "$stamp.$$" "$stamp"
}

# flock where there is one: the kernel frees it, and npm keeps it as long as it still runs after its launcher was killed.
# Elsewhere a folder with the holder's process id, taken over when that process is gone.
with_lock() {
  [ -w "$root" ] || fail "its packages are not installed, and $root can't be written to"
  if command -v flock >/dev/null; then
    exec 9>"$root/.setup.lock"
    flock -n 9 || { say "$waiting"; flock 9; }
    "$@"
    exec 9>&-
  else
    take_folder_lock "$root/.setup.lock.d"
    "$@"
    rm -rf "$root/.setup.lock.d"
    trap - EXIT
  fi
}
waiting="waiting for another start that installs packages"

take_folder_lock() {
  seconds=0
  until mkdir "$1" 2>/dev/null; do
    holder=$(cat "$1/pid" 2>/dev/null || true)
    # A holder that was killed before it wrote its id is given ten seconds.
    if [ -n "$holder" ]; then kill -0 "$holder" 2>/dev/null || rm -rf "$1"; elif [ "$seconds" -ge 10 ]; then rm -rf "$1"; fi
    [ "$seconds" -ne 1 ] || say "$waiting"
    sleep 1
    seconds=$((seconds + 1))
  done
  trap 'rm -rf "$root/.setup.lock.d"' EXIT
  echo $$ >"$1/pid"
}

find_node() {
  if [ "$1" = own ]; then own_node && return; fi
  found=$(command -v node) || return 1
  version=$("$found" --version) || return 1
  version=${version#v} major=${version%%.*} rest=${version#*.}
  [ "$major" -gt 24 ] || { [ "$major" -eq 24 ] && [ "${rest%%.*}" -ge 15 ]; } || return 1
  printf '%s' "$found"
}

own_node() {
  for candidate in "$root"/node_modules/node-linux-*/bin/node; do
    if [ -x "$candidate" ]; then printf '%s' "$candidate"; return; fi
  done
  return 1
}

say() { printf 'lazaret: %s\n' "$1" >&2; }
fail() { say "$1"; exit 1; }
