package com.example;

import com.example.conduit.ApiClient;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;

/** Serves the handlers with secrets of the environment, and shows at /effect how many events they handled; use {@code clients/run}. */
public final class Serve {
    private Serve() {}

    public static void main(String[] arguments) throws IOException {
        // A map stands for a table with a unique key.
        Map<String, Handler.Event> done = new ConcurrentHashMap<>();
        ObjectMapper mapper = ApiClient.createDefaultObjectMapper();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/conduit", Handler.conduit(System.getenv("CONDUIT_SECRET"), mapper, done::putIfAbsent));
        server.createContext("/equals-money", Handler.equalsMoney(System.getenv("EQUALS_MONEY_SECRET"), mapper, done::putIfAbsent));
        server.createContext("/effect", exchange -> {
            byte[] text = Integer.toString(done.size()).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
        System.out.println("listening on http://127.0.0.1:" + server.getAddress().getPort());
    }
}
