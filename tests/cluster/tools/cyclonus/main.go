// Judges connections by NetworkPolicies with cyclonus' matcher: JSON on standard input, one verdict
// (true or false) for each connection on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	networking "k8s.io/api/networking/v1"
)

type question struct {
	Policies    []*networking.NetworkPolicy
	Connections []*matcher.Traffic
}

func main() {
	var asked question
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	policy := matcher.BuildNetworkPolicies(false, asked.Policies)
	verdicts := []bool{}
	for _, connection := range asked.Connections {
		verdicts = append(verdicts, policy.IsTrafficAllowed(connection).IsAllowed())
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		os.Exit(1)
	}
}
