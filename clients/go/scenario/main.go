// Scenario runs every step against the server that the environment names; use clients/run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/truehook-client/verify"
)

type vector struct {
	Name, Secret, Signature, Timestamp, Body, Expect string
	Now                                              int64
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	server := os.Getenv("SERVER")
	step("verify: every test vector", func() { checkVectors(os.Getenv("VECTORS")) })
	conduitSteps(ctx, server)
	equalsMoneySteps(ctx, server, os.Getenv("LIMITED_SERVER"))
	operatorSteps(ctx, server)
}

// A header that is null in the vectors is an empty text here, which is what http.Header.Get gives for it.
func checkVectors(path string) {
	text := must(os.ReadFile(path))
	var vectors map[string][]vector
	check(json.Unmarshal(text, &vectors) == nil, "the vectors are JSON")
	expected := map[string]error{
		"valid": nil, "malformed": verify.ErrMalformed, "stale": verify.ErrStale, "mismatch": verify.ErrMismatch,
	}
	compare := func(one vector, err error) {
		want, known := expected[one.Expect]
		check(known && errors.Is(err, want), "%s: %v in place of %s", one.Name, err, one.Expect)
	}
	check(len(vectors["conduit"]) > 0 && len(vectors["equals-money"]) > 0, "there are vectors")
	for _, one := range vectors["conduit"] {
		compare(one, verify.Conduit(one.Secret, one.Signature, one.Timestamp, []byte(one.Body), time.Unix(one.Now, 0)))
	}
	for _, one := range vectors["equals-money"] {
		compare(one, verify.EqualsMoney(one.Secret, one.Signature, []byte(one.Body)))
	}
}

// Takes a step and says so; a step that panics ends the scenario.
func step(name string, take func()) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintf(os.Stderr, "failed: %s: %v\n", name, failure)
			os.Exit(1)
		}
	}()
	take()
	fmt.Println("ok " + name)
}

// Says what is not as it has to be.
func check(condition bool, format string, values ...any) {
	if !condition {
		panic(fmt.Sprintf(format, values...))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// The typed body of an answer, which has to be there.
func body[T any](value *T, status int, raw []byte) T {
	if value == nil {
		panic(fmt.Sprintf("%d without the expected body: %.500s", status, raw))
	}
	return *value
}
