// Package verify verifies the signatures of webhooks. Copy this file: it needs nothing but the standard library.
//
// Hand over the body as it came, byte for byte. JSON that was parsed and written again is another body.
package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
	"time"
)

// Tolerance is how far the timestamp of a Conduit delivery may be from now, either way. A sandbox with --clock-speed signs times that
// run ahead of now, so that its deliveries soon are stale: test at normal speed.
const Tolerance = 300 * time.Second

// What is wrong with a signature. Do not trust the delivery; answer 400.
var (
	// ErrMalformed says that a header is missing or is not as documented.
	ErrMalformed = errors.New("the signature is malformed")
	// ErrStale says that the timestamp is too far from now.
	ErrStale = errors.New("the signature is stale")
	// ErrMismatch says that the signature was made of another body or with another secret.
	ErrMismatch = errors.New("the signature does not match")
)

var (
	hexSignature = regexp.MustCompile(`^[0-9a-f]{64}$`)
	unixSeconds  = regexp.MustCompile(`^[0-9]{1,11}$`)
)

// Conduit verifies a delivery of Conduit. The secret is that of GET /webhooks/{id}, the signature the header conduit-signature, and
// the timestamp the header conduit-signature-timestamp.
func Conduit(secret, signature, timestamp string, body []byte, now time.Time) error {
	if !hexSignature.MatchString(signature) || !unixSeconds.MatchString(timestamp) {
		return ErrMalformed
	}
	given, err := hex.DecodeString(signature)
	if err != nil {
		return ErrMalformed
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return ErrMismatch
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrMalformed
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return ErrStale
	}
	return nil
}

// EqualsMoney verifies a notification of Equals Money. The shared secret is that of the webhook, and the signature the header
// x-em-signature. There is no timestamp: tell repeats by their messageId.
func EqualsMoney(sharedSecret, signature string, body []byte) error {
	given, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || len(given) != sha256.Size || len(signature) != base64.StdEncoding.EncodedLen(sha256.Size) {
		return ErrMalformed
	}
	mac := hmac.New(sha256.New, []byte(sharedSecret))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return ErrMismatch
	}
	return nil
}
