-- The role that Truehook logs in as, with no rights but those on its own database: what docs/operations.md says, for a new volume of
-- compose.yaml. PostgreSQL's image runs it once.
\getenv password DATABASE_PASSWORD
CREATE ROLE truehook LOGIN PASSWORD :'password';
CREATE DATABASE truehook OWNER truehook ENCODING 'UTF8' TEMPLATE template0;
