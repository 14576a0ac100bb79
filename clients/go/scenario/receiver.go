package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

type received struct {
	header http.Header
	body   []byte
}

// A real receiver: gives what it is sent, byte for byte.
type receiver struct {
	url    string
	server *http.Server
	queue  chan received
}

func startReceiver() *receiver {
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	queue := make(chan received, 16)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		writer.WriteHeader(http.StatusNoContent)
		queue <- received{request.Header, body}
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return &receiver{"http://" + listener.Addr().String() + "/hook", server, queue}
}

// What comes next; panics after a minute.
func (r *receiver) next() received {
	select {
	case one := <-r.queue:
		return one
	case <-time.After(time.Minute):
		panic("nothing was received")
	}
}

func (r *receiver) stop() { _ = r.server.Close() }

// Request editors, which every generated client takes.

func header(name, value string) func(context.Context, *http.Request) error {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set(name, value)
		return nil
	}
}

func method(name string) func(context.Context, *http.Request) error {
	return func(_ context.Context, request *http.Request) error {
		request.Method = name
		return nil
	}
}
