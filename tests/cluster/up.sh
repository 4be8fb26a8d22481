#!/bin/bash
# Starts a one-node Kubernetes in its own network and mount namespaces and its own cgroup; returns when the node is Ready.
# Usage: KUBE_DIR=FOLDER up.sh    its state; then FOLDER/k is kubectl as cluster admin, FOLDER/ctr containerd's client.
# Environment: KUBE_CGROUP (phoenix-cluster), KUBE_NODE (node-1), KUBE_IMAGES (archives to import), KUBE_APISERVER_FLAGS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${KUBE_DIR:?names the folder of the cluster\'s state}
run=$dir/run pki=$dir/run/pki log=$dir/run/log
bin=$("$here/binaries.sh")
node=${KUBE_NODE:-node-1} cgroup=${KUBE_CGROUP:-phoenix-cluster}
nodeip=10.89.0.1 svcip=10.96.0.1 podnet=10.88.0
began=$(date +%s%N)
say() { local ms=$((($(date +%s%N) - began) / 1000000)); printf 'cluster: %3d.%03d s: %s\n' $((ms / 1000)) $((ms % 1000)) "$*"; }
[ -e /sys/fs/cgroup/memory/cgroup.procs ] || { echo "cluster: this machine has no cgroup v1 hierarchies (containerd 1.6 with cgroupfs needs them here)" >&2; exit 1; }
[ ! -e "$run/holder.pid" ] || { echo "cluster: $run is in use; run down.sh first" >&2; exit 1; }
failed() { echo "cluster: not up; logs in $log" >&2; }
trap failed ERR
rm -rf "$run"
mkdir -p "$pki" "$log" "$run"/{cni,cni-data,etcd,containerd,kubelet,podlogs,state,sys}
for d in /run/containerd /var/log/pods /var/log/containers /var/lib/cni; do
  [ -d $d ] || { mkdir -p $d; echo $d >> "$run/made"; }
done

# 1. A cgroup of its own in every hierarchy: all that is started stays under it, and down.sh ends exactly these.
for h in /sys/fs/cgroup/*/; do
  h=${h%/}
  [ -e "$h/cgroup.procs" ] || continue
  mkdir -p "$h/$cgroup/sys"
  if [ -e "$h/cpuset.cpus" ]; then
    for c in "$h/$cgroup" "$h/$cgroup/sys"; do
      cat "$h/cpuset.cpus" > "$c/cpuset.cpus"
      cat "$h/cpuset.mems" > "$c/cpuset.mems"
    done
  fi
done

# 2. Namespaces. Mounts are shared inside, so that pods' mounts with propagation work. The kernel settings that the
#    kubelet wants are shown to it by bind mounts: the machine's own stay as they are.
echo 1 > "$run/sys/1"
echo 10 > "$run/sys/10"
echo 0 > "$run/sys/0"
cat > "$run/holder.sh" << EOS
for h in /sys/fs/cgroup/*/; do [ ! -e \${h}$cgroup/sys/cgroup.procs ] || echo \$\$ > \${h}$cgroup/sys/cgroup.procs || echo "cannot enter \${h}$cgroup/sys"; done
set -e
mount --bind $run/sys/1 /proc/sys/vm/overcommit_memory
mount --bind $run/sys/0 /proc/sys/vm/panic_on_oom
mount --bind $run/sys/10 /proc/sys/kernel/panic
mount --bind $run/sys/1 /proc/sys/kernel/panic_on_oops
mount --bind $run/cni-data /var/lib/cni
mount -t tmpfs -o size=64m tmpfs /run/containerd
mount --bind $run/podlogs /var/log/pods
mount -t tmpfs -o size=4m tmpfs /var/log/containers
mount -t tmpfs -o size=1g tmpfs $run/etcd
ip link set lo up
ip addr add $nodeip/32 dev lo
ip addr add $svcip/32 dev lo
echo 1 > /proc/sys/net/ipv4/ip_forward
echo \$\$ > $run/holder.pid
exec sleep infinity
EOS
setsid unshare --net --mount --propagation shared -- /bin/sh "$run/holder.sh" > "$log/holder.log" 2>&1 < /dev/null &
for _ in $(seq 100); do [ ! -s "$run/holder.pid" ] || break; sleep 0.1; done
[ -s "$run/holder.pid" ] || { cat "$log/holder.log" >&2; echo "cluster: no namespaces of its own: it needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN" >&2; exit 1; }
holder=$(cat "$run/holder.pid")
start() { # start NAME COMMAND...: in the namespaces and the cgroup; $run/NAME.start does it again
  local name=$1
  shift
  {
    echo '#!/bin/bash'
    echo "for h in /sys/fs/cgroup/*/; do [ ! -e \"\${h}$cgroup/sys/cgroup.procs\" ] || echo \$\$ > \"\${h}$cgroup/sys/cgroup.procs\"; done"
    echo "echo \$\$ > $run/$name.pid"
    printf 'exec nsenter -t %s -n -m --' "$holder"
    printf ' %q' "$@"
    echo " >> $log/$name.log 2>&1 < /dev/null"
  } > "$run/$name.start"
  chmod +x "$run/$name.start"
  setsid "$run/$name.start" > /dev/null 2>&1 < /dev/null &
}

# 3. Certificates.
ossl() { openssl "$@" 2>> "$log/openssl.log"; }
key() { ossl ecparam -name prime256v1 -genkey -noout -out "$pki/$1.key"; }
for n in ca proxy-ca; do
  key $n
  ossl req -x509 -new -key "$pki/$n.key" -subj /CN=kube-$n -days 3650 -out "$pki/$n.crt"
done
cert() { # cert NAME SUBJECT SAN USAGE
  key "$1"
  ossl req -new -key "$pki/$1.key" -subj "$2" -out "$pki/$1.csr"
  printf 'extendedKeyUsage=%s\n' "$4" > "$pki/$1.ext"
  [ -z "$3" ] || printf 'subjectAltName=%s\n' "$3" >> "$pki/$1.ext"
  ossl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 3650 -extfile "$pki/$1.ext" -out "$pki/$1.crt"
}
kubeconfig() { # kubeconfig NAME
  cat > "$run/$1.kubeconfig" << EOS
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:443", certificate-authority: $pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $pki/$1.crt, client-key: $pki/$1.key}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
EOS
}
cert apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$nodeip,IP:$svcip" serverAuth
cert kubelet-server "/CN=$node" "DNS:$node,IP:127.0.0.1,IP:$nodeip" serverAuth
cert apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client "" clientAuth
cert admin /O=system:masters/CN=admin "" clientAuth
cert kcm /CN=system:kube-controller-manager "" clientAuth
cert sched /CN=system:kube-scheduler "" clientAuth
cert kubelet "/O=system:nodes/CN=system:node:$node" "" clientAuth
ossl genrsa -out "$pki/sa.key" 2048
ossl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
for n in admin kcm sched kubelet; do kubeconfig $n; done
say "namespaces and certificates"

# 4. etcd, API server, containerd.
start etcd "$bin/etcd" --unsafe-no-fsync --data-dir "$run/etcd/data" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster default=http://127.0.0.1:2380 --log-level warn --logger zap
read -ra more <<< "${KUBE_APISERVER_FLAGS:-}"
start apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=443 --bind-address=0.0.0.0 --advertise-address=$nodeip \
  --service-cluster-ip-range=10.96.0.0/24 --authorization-mode=Node,RBAC --allow-privileged=true --anonymous-auth=true \
  --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
  --kubelet-certificate-authority="$pki/ca.crt" --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
  --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
  --requestheader-client-ca-file="$pki/proxy-ca.crt" --requestheader-allowed-names=front-proxy-client --requestheader-username-headers=X-Remote-User \
  --requestheader-group-headers=X-Remote-Group --requestheader-extra-headers-prefix=X-Remote-Extra- \
  --endpoint-reconciler-type=none --enable-priority-and-fairness=false --max-requests-inflight=400 "${more[@]}"
cat > "$run/cni/10-bridge.conflist" << EOS
{"cniVersion":"0.4.0","name":"bridge","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,"ipMasq":false,"hairpinMode":true,
 "ipam":{"type":"host-local","dataDir":"$run/cni-data","ranges":[[{"subnet":"$podnet.0/24"}]],"routes":[{"dst":"0.0.0.0/0"}]}}]}
EOS
cat > "$run/containerd.toml" << EOS
version = 2
root = "$run/containerd"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.zfs","io.containerd.snapshotter.v1.aufs","io.containerd.snapshotter.v1.devmapper","io.containerd.internal.v1.opt","io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "$run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "phoenix.local/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$run/cni"
EOS
start containerd containerd -c "$run/containerd.toml"
cat > "$dir/k" << EOS
#!/bin/sh
exec nsenter -t $holder -n -- $bin/kubectl --kubeconfig $run/admin.kubeconfig "\$@"
EOS
cat > "$dir/ctr" << EOS
#!/bin/sh
exec nsenter -t $holder -n -m -- ctr -a $run/containerd.sock -n k8s.io "\$@"
EOS
chmod +x "$dir/k" "$dir/ctr"
wait_for() { # wait_for SECONDS WHAT COMMAND...
  local seconds=$1 what=$2 end
  shift 2
  end=$(($(date +%s) + seconds))
  until "$@" > /dev/null 2>&1; do
    [ "$(date +%s)" -lt $end ] || { echo "cluster: no $what in $seconds s" >&2; return 1; }
    sleep 0.25
  done
  say "$what"
}
wait_for 60 "containerd answers" "$dir/ctr" version
read -ra images <<< "${KUBE_IMAGES:-}"
for image in "$bin/pause.tar" "$bin/box.tar" "${images[@]}"; do "$dir/ctr" images import "$image" >> "$log/import.log" 2>&1; done
say "images imported"
wait_for 120 "API server ready" "$dir/k" get --raw /readyz

# 5. The rest.
start kcm "$bin/kube-controller-manager" --kubeconfig="$run/kcm.kubeconfig" --authentication-kubeconfig="$run/kcm.kubeconfig" --authorization-kubeconfig="$run/kcm.kubeconfig" \
  --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --use-service-account-credentials=true --leader-elect=false --kube-api-qps=500 --kube-api-burst=500 --flex-volume-plugin-dir="$run/kubelet/plugins-exec" \
  --client-ca-file="$pki/ca.crt" --bind-address=127.0.0.1
start scheduler "$bin/kube-scheduler" --kubeconfig="$run/sched.kubeconfig" --authentication-kubeconfig="$run/sched.kubeconfig" --authorization-kubeconfig="$run/sched.kubeconfig" \
  --leader-elect=false --client-ca-file="$pki/ca.crt" --bind-address=127.0.0.1
cat > "$run/kubelet.yaml" << EOS
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://$run/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
failSwapOn: false
failCgroupV1: false
makeIPTablesUtilChains: false
oomScoreAdj: 0
maxOpenFiles: $(ulimit -Hn | sed s/unlimited/1000000/)
registerNode: true
address: 0.0.0.0
tlsCertFile: $pki/kubelet-server.crt
tlsPrivateKeyFile: $pki/kubelet-server.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
evictionHard: {memory.available: 64Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
resolvConf: $run/resolv.conf
clusterDomain: cluster.local
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
runtimeRequestTimeout: 30s
volumePluginDir: $run/kubelet/plugins-exec
EOS
: > "$run/resolv.conf"
start kubelet "$bin/kubelet" --config="$run/kubelet.yaml" --kubeconfig="$run/kubelet.kubeconfig" --root-dir="$run/kubelet" \
  --cert-dir="$run/kubelet/pki" --hostname-override="$node" --node-ip=$nodeip --v=2
ready() { "$dir/k" get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -q True; }
wait_for 120 "node Ready" ready
wait_for 60 "default service account" "$dir/k" get serviceaccount default
