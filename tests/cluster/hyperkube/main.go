// Command hyperkube is one binary that runs the Kubernetes components by its first argument
// (or by its own name: a link called kube-apiserver, kubelet, kubectl ...).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	if name := filepath.Base(os.Args[0]); name == "etcd" {
		etcdmain.Main(os.Args)
		return
	} else if len(os.Args) > 1 && os.Args[1] == "etcd" {
		etcdmain.Main(os.Args[1:])
		return
	}
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "kube-")
	mk := component(name)
	if mk == nil {
		if len(os.Args) > 1 {
			name = strings.TrimPrefix(os.Args[1], "kube-")
			mk = component(name)
		}
		if mk == nil {
			fmt.Fprintln(os.Stderr, "usage: hyperkube apiserver|controller-manager|scheduler|kubelet|kubectl ...")
			os.Exit(2)
		}
		os.Args = append([]string{os.Args[0]}, os.Args[2:]...)
	}
	if name == "kubectl" {
		if err := cli.RunNoErrOutput(mk()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(cli.Run(mk()))
}

func component(name string) func() *cobra.Command {
	switch name {
	case "apiserver":
		return apiserver.NewAPIServerCommand
	case "controller-manager":
		return controllers.NewControllerManagerCommand
	case "scheduler":
		return func() *cobra.Command { return scheduler.NewSchedulerCommand() }
	case "kubelet":
		return func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }
	case "kubectl":
		return kubectl.NewDefaultKubectlCommand
	}
	return nil
}
