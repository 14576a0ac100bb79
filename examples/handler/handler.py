#!/usr/bin/env python3
"""A handler of webhooks like many: it checks signatures but not their time, and notes a delivery only after it did its work.

Usage: WEBHOOK_SECRET=whsec_... handler.py [PORT]

README.md judges it with `conformance receiver`, which finds both. Handlers to copy are in clients/. /handled shows how many deliveries it
handled. Port 0 is any free one.
"""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
KNOWN = set()
HANDLED = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        delivery, at = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        mac = hmac.digest(SECRET, f"{delivery}.{at}.".encode() + body, "sha256")
        expected = b"v1," + base64.b64encode(mac)
        given = self.headers.get("webhook-signature", "").encode().split()
        if not at or not any(hmac.compare_digest(expected, one) for one in given):
            return self.answer(401)
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return self.answer(400)
        if delivery not in KNOWN:
            self.handle_event(event)
            KNOWN.add(delivery)
        return self.answer(204)

    def handle_event(self, event):
        time.sleep(0.02)
        HANDLED.append(event)

    def do_GET(self):
        self.answer(200, str(len(HANDLED)).encode())

    def answer(self, status, body=b""):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # Several copies of a delivery come at once.
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 3000), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
