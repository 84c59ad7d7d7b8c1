// The two parts of Argo CD that bring a commit into a cluster, without its API server, interface
// and notifications: they are most of what the whole program takes to build.
package main

import (
	"fmt"
	"os"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	repository "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	command := &cobra.Command{Use: "argo-cd", SilenceUsage: true}
	command.AddCommand(controller.NewCommand(), repository.NewCommand())
	if err := command.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
