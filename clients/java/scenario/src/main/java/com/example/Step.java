package com.example;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Steps of the scenario. */
final class Step {
    /** What a step does. */
    interface Action {
        void take() throws Exception;
    }

    /** What is taken out of an answer. */
    interface Source<T> {
        T get() throws Exception;
    }

    private Step() {}

    /** Takes a step and says so; a step that throws ends the scenario. */
    static void step(String name, Action action) {
        try {
            action.take();
        } catch (Exception | AssertionError failure) {
            throw new IllegalStateException("failed: " + name, failure);
        }
        System.out.println("ok " + name);
    }

    /** Says what is not as it has to be. */
    static void check(boolean holds, Object what) {
        if (!holds) {
            throw new AssertionError(String.valueOf(what));
        }
    }

    /**
     * The typed body of a refusal. The generated exceptions of the three APIs have no common type, only the same form: a status and the
     * body as text, which is read as the class that the document has for this status.
     */
    static <T> T typed(Class<T> type, int expected, int status, String body, ObjectMapper mapper) throws Exception {
        check(status == expected, status + " in place of " + expected + ": " + body);
        return mapper.readValue(body, type);
    }
}
