//! What is true of the PostgreSQL store alone.
