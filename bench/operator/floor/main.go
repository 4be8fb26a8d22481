// floor: the least that a Kubernetes operator can do for a PhoenixProcessPipeline, written only for `bench operator`.
// It makes the same objects (a ConfigMap, a DaemonSet, a status) with client-go's informers and work queue, and does
// nothing that a user would need: it renders no pipeline, validates nothing, watches no pod, rolls nothing back.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

const (
	manager = "phoenix-bench-floor"
	label   = "phoenix.io/pipeline"
	digest  = "phoenix.io/applied"
	workers = 10
)

var (
	pipelines  = schema.GroupVersionResource{Group: "phoenix.io", Version: "v1alpha1", Resource: "phoenixprocesspipelines"}
	daemonSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
)

type floor struct {
	client dynamic.Interface
	mine   cache.GenericLister
	sets   cache.GenericLister
	queue  workqueue.TypedRateLimitingInterface[string]
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	config.QPS, config.Burst, config.UserAgent = -1, -1, manager
	client := dynamic.NewForConfigOrDie(config)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]())
	all := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	labelled := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, metav1.NamespaceAll, func(o *metav1.ListOptions) {
		o.LabelSelector = label
	})
	f := floor{client, all.ForResource(pipelines).Lister(), labelled.ForResource(daemonSets).Lister(), queue}
	wake := func(owned bool) cache.ResourceEventHandlerFuncs {
		add := func(object any) {
			if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = gone.Obj
			}
			thing := object.(*unstructured.Unstructured)
			name := thing.GetName()
			if owned {
				name = thing.GetLabels()[label]
			}
			queue.Add(thing.GetNamespace() + "/" + name)
		}
		return cache.ResourceEventHandlerFuncs{AddFunc: add, UpdateFunc: func(_, now any) { add(now) }, DeleteFunc: add}
	}
	watched := []cache.SharedIndexInformer{all.ForResource(pipelines).Informer(), labelled.ForResource(daemonSets).Informer()}
	for number, informer := range watched {
		if err := informer.SetTransform(slim); err != nil {
			panic(err)
		}
		if _, err := informer.AddEventHandler(wake(number == 1)); err != nil {
			panic(err)
		}
	}
	all.Start(ctx.Done())
	labelled.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), watched[0].HasSynced, watched[1].HasSynced) {
		os.Exit(1)
	}
	for range workers {
		go func() {
			for f.next(ctx) {
			}
		}()
	}
	<-ctx.Done()
	queue.ShutDown()
}

func (f floor) next(ctx context.Context) bool {
	key, down := f.queue.Get()
	if down {
		return false
	}
	defer f.queue.Done(key)
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := f.reconcile(limited, key); err != nil {
		fmt.Fprintln(os.Stderr, key, err)
		f.queue.AddRateLimited(key)
	} else {
		f.queue.Forget(key)
	}
	return true
}

func (f floor) reconcile(ctx context.Context, key string) error {
	namespace, name, _ := cache.SplitMetaNamespaceKey(key)
	found, err := f.mine.ByNamespace(namespace).Get(name)
	if err != nil {
		return nil // deleted: what it owned goes with it
	}
	thing := found.(*unstructured.Unstructured)
	spec, _ := json.Marshal(thing.Object["spec"])
	config, _, _ := unstructured.NestedMap(thing.Object, "spec", "config")
	text, _ := json.Marshal(config)
	hash := sum(spec)
	children := f.sets.ByNamespace(namespace)
	var applied *unstructured.Unstructured
	if one, err := children.Get(name); err == nil && one.(*unstructured.Unstructured).GetAnnotations()[digest] == hash {
		applied = one.(*unstructured.Unstructured)
	} else {
		data := map[string]any{"config.yaml": string(text)}
		part := object("v1", "ConfigMap", thing, name+"-"+hash[:10])
		part.Object["data"], part.Object["immutable"] = data, true
		if err := f.apply(ctx, configMaps, part); err != nil {
			return err
		}
		if err := f.apply(ctx, daemonSets, daemonSet(thing, name, hash)); err != nil {
			return err
		}
		return nil // its status follows when the DaemonSet's own is there
	}
	observed, _, _ := unstructured.NestedInt64(applied.Object, "status", "observedGeneration")
	if observed < applied.GetGeneration() {
		return nil
	}
	desired, _, _ := unstructured.NestedInt64(applied.Object, "status", "desiredNumberScheduled")
	old, _, _ := unstructured.NestedMap(thing.Object, "status")
	now := map[string]any{"observedGeneration": thing.GetGeneration(), "appliedConfigHash": hash, "desiredNodes": desired}
	if old != nil && fmt.Sprint(old["observedGeneration"], old["appliedConfigHash"], old["desiredNodes"]) ==
		fmt.Sprint(now["observedGeneration"], now["appliedConfigHash"], now["desiredNodes"]) {
		return nil
	}
	status := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "phoenix.io/v1alpha1", "kind": "PhoenixProcessPipeline",
		"metadata": map[string]any{"name": name, "namespace": namespace}, "status": now,
	}}
	_, err = f.client.Resource(pipelines).Namespace(namespace).ApplyStatus(
		ctx, name, status, metav1.ApplyOptions{FieldManager: manager, Force: true})
	return err
}

func (f floor) apply(ctx context.Context, kind schema.GroupVersionResource, thing *unstructured.Unstructured) error {
	_, err := f.client.Resource(kind).Namespace(thing.GetNamespace()).Apply(
		ctx, thing.GetName(), thing, metav1.ApplyOptions{FieldManager: manager, Force: true})
	return err
}

func object(version, kind string, owner *unstructured.Unstructured, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": version, "kind": kind,
		"metadata": map[string]any{
			"name": name, "namespace": owner.GetNamespace(),
			"labels": map[string]any{label: owner.GetName()},
			"ownerReferences": []any{map[string]any{
				"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(), "name": owner.GetName(),
				"uid": string(owner.GetUID()), "controller": true, "blockOwnerDeletion": true,
			}},
		},
	}}
}

func daemonSet(owner *unstructured.Unstructured, name, hash string) *unstructured.Unstructured {
	out := object("apps/v1", "DaemonSet", owner, name)
	labels := map[string]any{label: name}
	_ = unstructured.SetNestedField(out.Object, hash, "metadata", "annotations", digest)
	selector, _, _ := unstructured.NestedMap(owner.Object, "spec", "nodeSelector")
	out.Object["spec"] = map[string]any{
		"minReadySeconds": int64(10),
		"selector":        map[string]any{"matchLabels": labels},
		"updateStrategy": map[string]any{
			"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": int64(1), "maxUnavailable": int64(0)},
		},
		"template": map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec": map[string]any{
				"hostPID": true, "automountServiceAccountToken": false, "nodeSelector": selector,
				"containers": []any{map[string]any{
					"name": "collector", "image": "phoenix/collector", "args": []any{"--config=/conf/config.yaml"},
					"terminationMessagePolicy": "FallbackToLogsOnError",
					"env": []any{map[string]any{"name": "PHOENIX_HOST", "valueFrom": map[string]any{
						"fieldRef": map[string]any{"fieldPath": "spec.nodeName"}}}},
					"volumeMounts": []any{map[string]any{"name": "conf", "mountPath": "/conf", "readOnly": true}},
				}},
				"volumes": []any{map[string]any{"name": "conf", "configMap": map[string]any{"name": name + "-" + hash[:10]}}},
			},
		},
	}
	return out
}

func slim(thing any) (any, error) {
	if one, ok := thing.(*unstructured.Unstructured); ok {
		one.SetManagedFields(nil)
	}
	return thing, nil
}

func sum(data []byte) string {
	out := sha256.Sum256(data)
	return hex.EncodeToString(out[:])
}
