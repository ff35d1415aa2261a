#!/usr/bin/env bash
# launch/cluster-trial.sh
#
# Tries launch/cluster.sh on two hosts that are network namespaces of this one, each with a name, an address, a folder and
# an sshd of its own. It shows that a job over both ends on the weights of one process, that the program is copied, and
# that a host that does not answer, lacks the program or has another build is named.
#
# It needs the right to make namespaces (root), sshd (Debian: openssh-server) and ip (iproute2), which launch/setup.sh
# --clusters installs, and the program, DTRAIN_EXECUTABLE or .build/debug/dtrain. It takes seconds and leaves nothing behind.
#
# Exit codes: 0 all went well, 1 something else came out, 69 sshd is not there, 77 no namespaces can be made.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  --help | -h)
    sed -n '2,/^[^#]/s/^#\( \|$\)//p' launch/cluster-trial.sh
    exit 0
    ;;
esac
# shellcheck source=launch/environment.sh
. launch/environment.sh
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'launch/cluster-trial.sh: %s\n' "$1" >&2; }
for command in sshd ssh ssh-keygen ip; do
  if ! command -v $command >/dev/null; then
    say "there is no $command; launch/setup.sh --clusters installs it"
    exit 69
  fi
done
program=$(realpath "${DTRAIN_EXECUTABLE:-.build/debug/dtrain}")

readonly number=$((RANDOM % 200)) hosts=(one two)
readonly network=10.97.$number bridge=dtc$number
trial=$(mktemp -d /tmp/dtrain-cluster.XXXXXX)
readonly trial
chmod 755 "$trial"

clean_up() {
  local code=$? host file
  for file in "$trial"/*.pid; do
    [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
  done
  for host in "${hosts[@]}"; do ip netns delete "dtc$number-$host" 2>/dev/null || true; done
  ip link delete $bridge 2>/dev/null || true
  if [ $code -ne 0 ]; then cat "$trial"/*.log "$trial/output" >&2 2>/dev/null || true; fi
  rm -rf "$trial"
}
trap clean_up EXIT

if ! { ip netns add "dtc$number-one" && ip netns exec "dtc$number-one" unshare --uts --mount true; } 2>/dev/null; then
  say 'namespaces cannot be made here; it needs root, in a container --privileged or --cap-add SYS_ADMIN,NET_ADMIN'
  exit 77
fi
ip link add $bridge type bridge
ip address add "$network.1/24" dev $bridge
ip link set $bridge up

# sshd drops its rights into this folder.
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$trial/key"
cp "$trial/key.pub" "$trial/authorized"
mkdir "$trial/own"
address=10
for host in "${hosts[@]}"; do
  address=$((address + 1))
  name=dtc$number-$host
  ip netns add "$name" 2>/dev/null || true
  ip link add "v$number-$host" type veth peer name eth0 netns "$name"
  ip link set "v$number-$host" master $bridge up
  ip -n "$name" address add "$network.$address/24" dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" link set lo up
  ssh-keygen -q -t ed25519 -N '' -f "$trial/$host-key"
  cat >"$trial/$host-sshd" <<END
Port 2222
ListenAddress $network.$address
HostKey $trial/$host-key
PidFile $trial/$host.pid
AuthorizedKeysFile $trial/authorized
PasswordAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
LogLevel ERROR
END
  # Each host has a folder that the other does not see.
  # shellcheck disable=SC2016 # for the shell that is started
  ip netns exec "$name" unshare --uts --mount --propagation private sh -c \
    'hostname "$1" && mount -t tmpfs tmpfs "$2/own" && exec "$(command -v sshd)" -f "$2/$1-sshd" -E "$2/$1.log"' \
    sh "$host" "$trial"
  cat >>"$trial/ssh" <<END
Host $host
  HostName $network.$address
END
  echo "$host slots=2" >>"$trial/hosts"
done
cat >>"$trial/ssh" <<END
Host gone
  HostName $network.99
Host *
  Port 2222
  User $(id -un)
  IdentityFile $trial/key
  IdentitiesOnly yes
  StrictHostKeyChecking accept-new
  UserKnownHostsFile $trial/known
  LogLevel ERROR
END
export DTRAIN_SSH="ssh -F $trial/ssh"

readonly settings=(
  --quiet --max-steps 30 dataset.name=synthetic-digits dataset.training_samples=200 dataset.test_samples=60
)
cluster() { launch/cluster.sh --hostfile "$trial/hosts" --network "$network.0/24" "$@"; }

# refused CODE WORDS ARGUMENT …: cluster.sh ends with the code, and says the words.
refused() {
  local expected=$1 words=$2 code=0
  shift 2
  cluster "$@" >"$trial/output" 2>&1 || code=$?
  if [ $code -ne "$expected" ] || ! grep -qF -- "$words" "$trial/output"; then
    say "code $code, where $expected and \"$words\" were expected"
    exit 1
  fi
  say "refused: $(grep -F -- "$words" "$trial/output" | sed 's/^launch.cluster.sh: //')"
}

"$program" train --run-dir "$trial/alone" "${settings[@]}" >"$trial/expected"
# same_weights ARGUMENT …
same_weights() {
  cluster "$@" >"$trial/output" 2>"$trial/errors.log"
  if ! cmp -s "$trial/expected" "$trial/output"; then
    say "other weights than one process: $(tail -n 1 "$trial/output"), not $(tail -n 1 "$trial/expected")"
    exit 1
  fi
  say "4 ranks on two hosts: $(tail -n 1 "$trial/output")"
}

same_weights --program "$program" -- train --run-dir "$trial/shared" "${settings[@]}"
cluster --program "$program" --check -- dataset.name=synthetic-digits >"$trial/output" 2>"$trial/errors.log"
grep -q '^ok       exchange          4 ranks on one and 1 more' "$trial/output"
grep -q '^ok       clocks            2 hosts' "$trial/output"
say 'dtrain doctor finds both hosts in order'

# Here this is a file; the hosts have a folder of their own in its folder's place.
cp "$program" "$trial/own/dtrain"
refused 69 'there is no program' --program "$trial/own/dtrain"
same_weights --program "$trial/own/dtrain" --copy-to "$trial/own" -- train --run-dir "$trial/copied" "${settings[@]}"
printf x >>"$trial/own/dtrain"
refused 69 'is another build than the one here' --program "$trial/own/dtrain"
echo 'gone slots=1' >>"$trial/hosts"
refused 69 'gone: ssh does not reach it' --program "$program"
say 'all went well'
