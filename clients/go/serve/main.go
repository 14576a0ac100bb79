// Serve serves the handlers with secrets of the environment, and shows at /effect how many events they handled; use clients/run.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"example.com/truehook-client/handler"
)

func main() {
	var mutex sync.Mutex
	done := map[string]bool{}
	handled := 0
	once := func(id string, act func()) {
		mutex.Lock()
		defer mutex.Unlock()
		if !done[id] {
			done[id] = true
			act()
		}
	}
	handle := func(handler.Event) { handled++ }
	mux := http.NewServeMux()
	mux.Handle("POST /conduit", handler.Conduit(os.Getenv("CONDUIT_SECRET"), once, handle))
	mux.Handle("POST /equals-money", handler.EqualsMoney(os.Getenv("EQUALS_MONEY_SECRET"), once, handle))
	mux.HandleFunc("GET /effect", func(writer http.ResponseWriter, _ *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		_, _ = fmt.Fprintln(writer, handled)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	panic(server.Serve(listener))
}
