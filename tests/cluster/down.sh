#!/bin/bash
# Ends every process of the cluster (the members of its own cgroup, by their ids) and removes what up.sh made.
# Usage: KUBE_DIR=FOLDER down.sh    with the KUBE_CGROUP of up.sh. Does nothing when there is no cluster.
set -u
run=${KUBE_DIR:?names the folder of the cluster\'s state}/run
cgroup=${KUBE_CGROUP:-phoenix-cluster}
pids() { find /sys/fs/cgroup/*/"$cgroup" -name cgroup.procs -exec cat {} + 2> /dev/null | sort -un; }
for name in kubelet scheduler kcm apiserver etcd; do # politely first, and only one that is still ours
  pid=$(cat "$run/$name.pid" 2> /dev/null) && pids | grep -qx "$pid" && kill -TERM "$pid"
done
left=()
for try in $(seq 300); do
  mapfile -t left < <(pids)
  [ ${#left[@]} -gt 0 ] || break
  [ "$try" -lt 5 ] || kill -KILL "${left[@]}" 2> /dev/null
  sleep 0.1
done
[ ${#left[@]} -eq 0 ] || { echo "cluster: still alive: ${left[*]}" >&2; exit 1; }
for h in /sys/fs/cgroup/*/"$cgroup"; do
  [ ! -d "$h" ] || find "$h" -depth -type d -exec rmdir {} + 2> /dev/null
  [ ! -d "$h" ] || { echo "cluster: $h is left" >&2; exit 1; }
done
# Not what another cluster has mounted upon: removing a folder takes the mounts on it away, in every namespace.
used() { grep -qs " $1 " /proc/[0-9]*/mountinfo; }
if [ -e "$run/made" ]; then while read -r made; do used "$made" || rmdir "$made" 2> /dev/null; done < "$run/made"; fi
rm -rf --one-file-system "$run"
