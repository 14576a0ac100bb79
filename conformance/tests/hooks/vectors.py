#!/usr/bin/env python3
"""Writes signatures.json: a description and a signed message for each way of signing, computed with Python's hmac and cryptography.

Run it again with `python3 conformance/tests/hooks/vectors.py` (needs `cryptography`); what is committed does not change, except where
ECDSA signatures are random: those are kept as long as they verify.
"""

import base64
import binascii
import datetime
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

FILE = pathlib.Path(__file__).with_name("signatures.json")
OLD = {one["name"]: one for one in json.loads(FILE.read_text())} if FILE.exists() else {}
TIME = 1767225600  # 2026-01-01T00:00:00Z
URL = "https://example.com/hook?tenant=7"
BODY = '{"type":"order.paid","data":{"id":"ord_1","total":"12.50","name":"Zoë"}}'
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
fixtures = []


def add(name, scheme, key, headers=None, body=BODY, url=URL, signing_key=None, **other):
    fixtures.append({
        "name": name, "scheme": scheme, "key": key, "signingKey": signing_key or key, "url": url,
        "headers": headers or {}, "body": body, "time": other.pop("time", TIME), **other,
    })


def mac(key, *parts, algorithm="sha256"):
    key = key if isinstance(key, bytes) else key.encode()
    text = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)
    return hmac.new(key, text, algorithm).digest()


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def public(key, encoding=serialization.Encoding.DER):
    return key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED_RAW = ED.public_key().public_bytes_raw()
P256 = ec.derive_private_key(0x1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF1234567890ABCDEF, ec.SECP256R1())
if "wise" in OLD:
    RSA = serialization.load_der_private_key(base64.b64decode(OLD["wise"]["signingKey"]), None)
else:
    RSA = rsa.generate_private_key(65537, 2048)


def rsa_sign(text):
    return RSA.sign(text, padding.PKCS1v15(), hashes.SHA256())


def ecdsa(name, text, kept):
    """A signature in DER; `kept` gives the one that is committed."""
    if name in OLD:
        signature = kept(OLD[name])
        try:
            P256.public_key().verify(signature, text, ec.ECDSA(hashes.SHA256()))
            return signature
        except InvalidSignature:
            pass
    return P256.sign(text, ec.ECDSA(hashes.SHA256()))


def fixed(der):
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def unfixed(raw):
    return utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


SECRET = "b0b5c1a8e2f94d7c"

# Ours.
add("conduit", {
    "algorithm": "hmac-sha256", "signature": {"header": "conduit-signature", "encoding": "hex"}, "signed": "{timestamp}.{body}",
    "timestamp": {"header": "conduit-signature-timestamp", "tolerance": 300},
}, SECRET, {"conduit-signature": mac(SECRET, TIME, ".", BODY).hex(), "conduit-signature-timestamp": str(TIME)})
add("equals-money", {
    "algorithm": "hmac-sha256", "signature": {"header": "x-em-signature", "encoding": "base64"}, "signed": "{body}",
    "required": "when-key-is-set",
}, SECRET, {"x-em-signature": b64(mac(SECRET, BODY))})

# Standard Webhooks: the vector of its reference libraries, then its asymmetric form.
raw = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
signature = b64(mac(raw, "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.", '{"test": 2432232314}'))
assert signature == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
add("standard-webhooks", {"preset": "standard-webhooks"}, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
    "webhook-signature": f"v1,bm9ldHU5ZzkzZmozOTAxZmozOTAxZmoxOTNmag== v1,{signature}",
}, body='{"test": 2432232314}', time=1614265330)
signature = b64(ED.sign(f"{ID}.{TIME}.{BODY}".encode()))
add("standard-webhooks-asymmetric", {"preset": "standard-webhooks-asymmetric"}, "whpk_" + b64(ED_RAW), {
    "webhook-id": ID, "webhook-timestamp": str(TIME), "webhook-signature": f"v1,AAAA v1a,{signature}",
}, signing_key="whpk_" + b64(pkcs8(ED)))
add("svix", {"preset": "svix"}, "whsec_" + b64(raw), {
    "svix-id": ID, "svix-timestamp": str(TIME), "svix-signature": "v1," + b64(mac(raw, f"{ID}.{TIME}.", BODY)),
})

# One header with fields.
add("stripe", {"preset": "stripe"}, "whsec_test", {
    "Stripe-Signature": f"t={TIME},v1={'0' * 64},v1={mac('whsec_test', TIME, '.', BODY).hex()},v0=6ffb",
})
add("paddle", {"preset": "paddle"}, SECRET, {"Paddle-Signature": f"ts={TIME};h1={mac(SECRET, TIME, ':', BODY).hex()}"})

# A prefix; the vector is of GitHub's page "Validating webhook deliveries".
signature = mac("It's a Secret to Everybody", "Hello, World!").hex()
assert signature == "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
add("github", {"preset": "github"}, "It's a Secret to Everybody", {"X-Hub-Signature-256": "sha256=" + signature}, body="Hello, World!")
add("meta", {"preset": "github"}, SECRET, {"x-hub-signature-256": "sha256=" + mac(SECRET, BODY).hex()})
add("cursor", {"preset": "github", "signature": {"header": "X-Webhook-Signature", "prefix": "sha256=", "encoding": "hex"}}, SECRET,
    {"X-Webhook-Signature": "sha256=" + mac(SECRET, BODY).hex()})

# Literal text.
add("slack", {"preset": "slack"}, SECRET, {
    "X-Slack-Signature": "v0=" + mac(SECRET, f"v0:{TIME}:", BODY).hex(), "X-Slack-Request-Timestamp": str(TIME),
})
add("zoom", {"preset": "zoom"}, SECRET, {
    "x-zm-signature": "v0=" + mac(SECRET, f"v0:{TIME}:", BODY).hex(), "x-zm-request-timestamp": str(TIME),
})

add("shopify", {"preset": "shopify"}, SECRET, {"X-Shopify-Hmac-SHA256": b64(mac(SECRET, BODY))})
add("xero", {"preset": "xero"}, SECRET, {"x-xero-signature": b64(mac(SECRET, BODY))})
add("square", {"preset": "square"}, SECRET, {"x-square-hmacsha256-signature": b64(mac(SECRET, URL, BODY))})
add("hubspot-v3", {"preset": "hubspot-v3"}, SECRET, {
    "X-HubSpot-Signature-v3": b64(mac(SECRET, "POST", URL, BODY, f"{TIME}123")), "X-HubSpot-Request-Timestamp": f"{TIME}123",
})
add("airwallex", {"preset": "airwallex"}, SECRET, {"x-timestamp": f"{TIME}000", "x-signature": mac(SECRET, f"{TIME}000", BODY).hex()})

# Twilio: a form, then JSON whose digest is in the query.
form = "To=%2B18005551212&From=%2B14158675309&Digits=1234&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"
joined = "".join(name + value for name, value in sorted({
    "To": "+18005551212", "From": "+14158675309", "Digits": "1234", "Caller": "+14158675309", "CallSid": "CA1234567890ABCDE",
}.items()))
twilio = "https://mycompany.com/myapp.php?foo=1&bar=2"
signature = b64(mac("12345", twilio, joined, algorithm="sha1"))
assert signature == "RSOYDt4T1cUTdK1PDd93/VVr8B8=", signature  # Twilio's page "Webhooks Security" and its libraries.
add("twilio-form", {"preset": "twilio-form"}, "12345", {"X-Twilio-Signature": signature, "content-type": "application/x-www-form-urlencoded"},
    body=form, url=twilio)
url = "https://example.com/hook?bodySHA256=" + hashlib.sha256(BODY.encode()).hexdigest()
add("twilio-json", {"preset": "twilio-json"}, "12345", {"X-Twilio-Signature": b64(mac("12345", url, algorithm="sha1"))}, url=url,
    signingUrl="https://example.com/hook")

# Asymmetric.
add("discord", {"preset": "discord"}, ED_RAW.hex(), {
    "X-Signature-Ed25519": ED.sign(f"{TIME}{BODY}".encode()).hex(), "X-Signature-Timestamp": str(TIME),
}, signing_key=pkcs8(ED).hex())
header = "X-Twilio-Email-Event-Webhook-Signature"
signature = ecdsa("sendgrid", f"{TIME}{BODY}".encode(), lambda one: base64.b64decode(one["headers"][header]))
add("sendgrid", {"preset": "sendgrid"}, b64(public(P256)), {
    header: b64(signature), "X-Twilio-Email-Event-Webhook-Timestamp": str(TIME),
}, signing_key=b64(pkcs8(P256)))
add("wise", {"preset": "wise"}, b64(public(RSA)), {"X-Signature-SHA256": b64(rsa_sign(BODY.encode()))}, signing_key=b64(pkcs8(RSA)))

# Plaid: a token that has the digest of the body.
point = P256.public_key().public_numbers()
jwks = json.dumps({"keys": [
    {"kty": "EC", "crv": "P-384", "kid": "other", "x": "", "y": ""},
    {"kty": "EC", "crv": "P-256", "kid": "key-1", "alg": "ES256", "x": b64url(point.x.to_bytes(32, "big")), "y": b64url(point.y.to_bytes(32, "big"))},
]})
claims = {"iat": TIME, "request_body_sha256": hashlib.sha256(BODY.encode()).hexdigest()}
text = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "ES256", "kid": "key-1", "typ": "JWT"}, claims))
signature = ecdsa("plaid", text.encode(), lambda one: unfixed(unb64url(one["headers"]["Plaid-Verification"].split(".")[2])))
add("plaid", {"preset": "plaid"}, jwks, {"Plaid-Verification": f"{text}.{b64url(fixed(signature))}"})
# A detached token (RFC 7515, appendix F) with a shared key.
head = b64url(b'{"alg":"HS256"}')
add("jws-detached", {"algorithm": "jws", "accept": ["HS256"], "signature": {"header": "X-JWS-Signature"}, "signed": "{body}", "key": {"encoding": "utf-8"}},
    SECRET, {"X-JWS-Signature": f"{head}..{b64url(mac(SECRET, head + '.' + b64url(BODY.encode())))}"})

# PayPal: a certificate, and the CRC-32 of the body.
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.com")])
when = datetime.datetime(2026, 1, 1)
certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA.public_key()).serial_number(7)
               .not_valid_before(when).not_valid_after(when.replace(year=2036)).sign(RSA, hashes.SHA256()))
text = f"{ID}|2026-01-01T00:00:00Z|WH-7|{binascii.crc32(BODY.encode())}"
add("paypal", {"preset": "paypal"}, certificate.public_bytes(serialization.Encoding.PEM).decode(), {
    "PAYPAL-TRANSMISSION-ID": ID, "PAYPAL-TRANSMISSION-TIME": "2026-01-01T00:00:00Z",
    "PAYPAL-TRANSMISSION-SIG": b64(rsa_sign(text.encode())),
}, registration={"id": "WH-7"}, signing_key=pem(RSA))

# In the body.
hex_key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
item = {
    "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
    "amount": {"currency": "EUR", "value": 1130}, "eventCode": "AUTHORISATION", "merchantAccountCode": "TestMerchant",
    "merchantReference": "TestPayment-1407325143704", "pspReference": "7914073381342284", "success": "true",
}
signature = b64(mac(bytes.fromhex(hex_key), "7914073381342284::TestMerchant:TestPayment-1407325143704:1130:EUR:AUTHORISATION:true"))
assert signature == item["additionalData"]["hmacSignature"], signature  # Adyen's page "Verify HMAC signatures" and its libraries.
add("adyen", {"preset": "adyen"}, hex_key, body=json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}))
add("adyen-header", {"preset": "adyen-header"}, hex_key, {"HmacSignature": b64(mac(bytes.fromhex(hex_key), BODY))})
add("mailgun", {"preset": "mailgun"}, SECRET, body=json.dumps({
    "signature": {"timestamp": str(TIME), "token": "50-characters", "signature": mac(SECRET, TIME, "50-characters").hex()}, "event-data": {"event": "opened"},
}))
linear = json.dumps({"action": "create", "webhookTimestamp": TIME * 1000})
add("linear", {"preset": "linear"}, SECRET, {"Linear-Signature": mac(SECRET, linear).hex()}, body=linear)

# Equality.
add("gitlab", {"preset": "gitlab"}, SECRET, {"X-Gitlab-Token": SECRET})
add("chargebee", {"preset": "basic"}, "user:p:w", {"Authorization": "Basic " + b64(b"user:p:w")})
add("bearer", {"algorithm": "token", "signature": {"header": "Authorization", "prefix": "Bearer "}}, SECRET, {"Authorization": "Bearer " + SECRET})

# RFC 9421: the vector of appendix B.2.6, then one of each algorithm with a digest of the body (RFC 9530).
okp = {"kty": "OKP", "crv": "Ed25519", "kid": "test-key-ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
components = ["date", "@method", "@path", "@authority", "content-type", "content-length"]
parameters = '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"'
fields = {"Host": "example.com", "Date": "Tue, 20 Apr 2021 02:07:55 GMT", "Content-Type": "application/json", "Content-Length": "18"}
base = "\n".join([
    f'"date": {fields["Date"]}', '"@method": POST', '"@path": /foo', '"@authority": example.com', '"content-type": application/json',
    '"content-length": 18', f'"@signature-params": {parameters}',
])
signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
ed25519.Ed25519PublicKey.from_public_bytes(unb64url(okp["x"])).verify(base64.b64decode(signature), base.encode())
add("rfc9421-b26", {"algorithm": "http-message-signature", "accept": ["ed25519"], "components": components, "timestamp": {}}, json.dumps(okp),
    {**fields, "Signature-Input": f"sig-b26={parameters}", "Signature": f"sig-b26=:{signature}:"},
    body='{"hello": "world"}', url="https://example.com/foo?param=Value&Pet=dog", time=1618884473)


def message(name, algorithm, key, signing_key, make, encoding):
    digest = f"sha-256=:{b64(hashlib.sha256(BODY.encode()).digest())}:"
    parameters = f'("@method" "@target-uri" "content-digest");created={TIME};alg="{algorithm}"'
    base = f'"@method": POST\n"@target-uri": {URL}\n"content-digest": {digest}\n"@signature-params": {parameters}'
    add(name, {"preset": "http-message-signature", "key": {"encoding": encoding}}, key, {
        "Content-Digest": digest, "Signature-Input": f"sig1={parameters}",
        "Signature": f"sig1=:{b64(make(base.encode()))}:",
    }, signing_key=signing_key)


message("rfc9421-ed25519", "ed25519", public(ED, serialization.Encoding.PEM).decode(), pem(ED), ED.sign, "pem")
message("rfc9421-ecdsa", "ecdsa-p256-sha256", public(P256, serialization.Encoding.PEM).decode(), pem(P256), lambda text: fixed(
    ecdsa("rfc9421-ecdsa", text, lambda one: unfixed(base64.b64decode(one["headers"]["Signature"][6:-1])))), "pem")
message("rfc9421-rsa", "rsa-v1_5-sha256", public(RSA, serialization.Encoding.PEM).decode(), pem(RSA), rsa_sign, "pem")
message("rfc9421-hmac", "hmac-sha256", SECRET, SECRET, lambda text: mac(SECRET, text), "utf-8")

if "--check" in sys.argv:
    sys.exit(0 if json.dumps(fixtures, indent=1, ensure_ascii=False) + "\n" == FILE.read_text() else "signatures.json is not what this script writes")
FILE.write_text(json.dumps(fixtures, indent=1, ensure_ascii=False) + "\n")
print(len(fixtures), "fixtures")
