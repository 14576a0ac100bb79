package com.example;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A real receiver: gives what it is sent, byte for byte. */
final class Receiver implements AutoCloseable {
    /** What was received. */
    record Received(Headers headers, byte[] body) {
        String header(String name) {
            return headers.getFirst(name);
        }
    }

    private final HttpServer server;
    private final BlockingQueue<Received> queue = new LinkedBlockingQueue<>();

    Receiver() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
            queue.add(new Received(exchange.getRequestHeaders(), body));
        });
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/hook";
    }

    /** What comes next; fails after a minute. */
    Received next() throws InterruptedException {
        Received received = queue.poll(1, TimeUnit.MINUTES);
        Step.check(received != null, "nothing was received");
        return received;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
