// Package handler receives webhooks: verified, typed, each once. Copy it with the package verify.
package handler

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"example.com/truehook-client/generated/conduit"
	"example.com/truehook-client/generated/equalsmoney"
	"example.com/truehook-client/verify"
)

// MaxBody is how many bytes of a delivery are read.
const MaxBody = 1 << 20

// An Event is one of the types below; tell them apart with a type switch.
type Event interface{ event() }

// A Counterparty event of Conduit, such as counterparty.active.
type Counterparty struct{ Notification conduit.CounterpartyNotification }

// A Customer event of Conduit, such as customer.created.
type Customer struct{ Notification conduit.CustomerNotification }

// A Transaction event of Conduit, such as transaction.completed.
type Transaction struct{ Notification conduit.TransactionNotification }

// A Notification of Equals Money; Payload.WebhookEventTypeName is its type.
type Notification struct{ Payload equalsmoney.NotificationPayload }

// Unknown is an event of a type that is newer than this file, or that does not fit its type. Keep it, and answer 2xx all the same.
type Unknown struct {
	Type string
	Body json.RawMessage
}

func (Counterparty) event() {}
func (Customer) event()     {}
func (Transaction) event()  {}
func (Notification) event() {}
func (Unknown) event()      {}

var errNoEvent = errors.New("the body is not an event")

// ParseConduit reads an event of Conduit.
func ParseConduit(body []byte) (Event, error) {
	var envelope struct{ Event *string }
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Event == nil {
		return nil, errNoEvent
	}
	family, _, _ := strings.Cut(*envelope.Event, ".")
	switch family {
	case "counterparty":
		return typed(*envelope.Event, body, func(one conduit.CounterpartyNotification) Event { return Counterparty{one} }), nil
	case "customer":
		return typed(*envelope.Event, body, func(one conduit.CustomerNotification) Event { return Customer{one} }), nil
	case "transaction":
		return typed(*envelope.Event, body, func(one conduit.TransactionNotification) Event { return Transaction{one} }), nil
	}
	return Unknown{*envelope.Event, body}, nil
}

// ParseEqualsMoney reads an event of Equals Money, and its id.
func ParseEqualsMoney(body []byte) (Event, string, error) {
	var envelope struct {
		Body *struct{ WebhookEventTypeName, MessageID *string }
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Body == nil ||
		envelope.Body.WebhookEventTypeName == nil || envelope.Body.MessageID == nil {
		return nil, "", errNoEvent
	}
	event := typed(*envelope.Body.WebhookEventTypeName, body, func(one equalsmoney.Notification) Event { return Notification{one.Body} })
	return event, *envelope.Body.MessageID, nil
}

func typed[T any](kind string, body []byte, wrap func(T) Event) Event {
	var one T
	if err := json.Unmarshal(body, &one); err != nil {
		return Unknown{kind, body}
	}
	return wrap(one)
}

// Conduit handles deliveries of Conduit. Once calls its function unless it was called with the id before; keep the ids in the database,
// under a unique key, in the transaction that does the work.
func Conduit(secret string, once func(id string, act func()), handle func(Event)) http.Handler {
	return receive(func(header http.Header, body []byte) (Event, string, error) {
		err := verify.Conduit(secret, header.Get("conduit-signature"), header.Get("conduit-signature-timestamp"), body, time.Now())
		if err != nil {
			return nil, "", err
		}
		event, err := ParseConduit(body)
		return event, header.Get("conduit-webhook-idempotency-key"), err
	}, once, handle)
}

// EqualsMoney handles notifications of Equals Money, as Conduit does its deliveries.
func EqualsMoney(secret string, once func(id string, act func()), handle func(Event)) http.Handler {
	return receive(func(header http.Header, body []byte) (Event, string, error) {
		if err := verify.EqualsMoney(secret, header.Get("x-em-signature"), body); err != nil {
			return nil, "", err
		}
		return ParseEqualsMoney(body)
	}, once, handle)
}

func receive(read func(http.Header, []byte) (Event, string, error), once func(string, func()), handle func(Event)) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(writer, request.Body, MaxBody))
		if err != nil {
			http.Error(writer, "the body cannot be read", http.StatusBadRequest)
			return
		}
		event, id, err := read(request.Header, body)
		if err != nil {
			http.Error(writer, err.Error(), http.StatusBadRequest)
			return
		}
		once(id, func() { handle(event) })
		writer.WriteHeader(http.StatusNoContent)
	})
}
