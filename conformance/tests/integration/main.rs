//! Tests of the program and the library from outside: one binary, as building and linking one for each file takes longer than the tests.

mod check;
mod command_line;
mod documents;
mod documents_valid;
mod drift;
mod drift_cases;
mod drift_discriminators;
mod drift_fuzz;
mod drift_hostile;
mod drift_loader;
mod drift_properties;
mod drift_random;
mod drift_resources;
mod drift_schemas;
mod drift_spellings;
mod drift_support;
mod drift_urls;
mod drift_users;
mod drift_verdicts;
mod integrations;
mod layers;
mod program;
mod replay;
mod settings;
mod sources;
