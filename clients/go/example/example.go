// Package example registers a webhook and receives its deliveries.
package example

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"example.com/truehook-client/generated/conduit"
	"example.com/truehook-client/verify"
)

// Register registers url at server, such as http://127.0.0.1:8080; the answer has the secret.
func Register(ctx context.Context, server, url string) (*conduit.RetrievedWebhook, error) {
	authorize := func(_ context.Context, request *http.Request) error {
		request.Header.Set("X-API-Key", "sandbox-key")
		request.Header.Set("X-API-Secret", "sandbox-secret")
		return nil
	}
	client, err := conduit.NewClientWithResponses(server+"/conduit", conduit.WithRequestEditorFn(authorize))
	if err != nil {
		return nil, err
	}
	events := []conduit.WebhookEvent{conduit.WebhookEventTransactionCompleted}
	wanted := conduit.CreateWebhookRequest{Url: url, Status: conduit.WebhookStatusEnabled, Events: events}
	created, err := client.CreateWebhookWithResponse(ctx, nil, wanted)
	if err != nil || created.JSON201 == nil {
		return nil, fmt.Errorf("not created: %v %v", created, err)
	}
	read, err := client.GetWebhookWithResponse(ctx, created.JSON201.Id, nil)
	if err != nil || read.JSON200 == nil {
		return nil, fmt.Errorf("not read: %v %v", read, err)
	}
	return read.JSON200, nil
}

// Receive reads what arrives there, with the body as it came.
func Receive(secret string, header http.Header, body []byte) (notification conduit.TransactionNotification, err error) {
	signature, timestamp := header.Get("conduit-signature"), header.Get("conduit-signature-timestamp")
	if err = verify.Conduit(secret, signature, timestamp, body, time.Now()); err == nil {
		err = json.Unmarshal(body, &notification)
	}
	return notification, err
}
