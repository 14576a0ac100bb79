//! Variables of the environment that look like settings and are none: most likely a setting that is spelled wrong, and has no effect.

use std::collections::BTreeSet;

use clap::Command;

use crate::near::nearest;

const PREFIX: &str = "TRUEHOOK_";

/// Warns of the variables in `environment` that begin like ours and that no command reads: a sentence for each.
///
/// Kubernetes sets variables for each service that a pod can reach, and one that is called `truehook` gives them our prefix: these are left
/// out.
pub(super) fn unknown(
    command: &Command,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Vec<String> {
    let mut known = BTreeSet::new();
    collect(command, &mut known);
    let unknown: BTreeSet<String> = environment
        .into_iter()
        .filter(|(name, value)| name.starts_with(PREFIX) && !is_of_platform(name, value))
        .map(|(name, _)| name)
        .filter(|name| !known.contains(name))
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let warnings = unknown.into_iter().map(|name| {
        // Only what follows is compared: the prefix is the same for all.
        let word = &name[PREFIX.len()..];
        let names = known.iter().filter_map(|name| name.strip_prefix(PREFIX));
        match nearest(word, names) {
            Some(near) => {
                format!("{name} is not a setting, and has no effect; did you mean {PREFIX}{near}?")
            }
            None => format!("{name} is not a setting, and has no effect"),
        }
    });
    warnings.collect()
}

/// Whether Kubernetes sets this variable for a service (its documentation, "Service", "Environment variables").
pub(super) fn is_of_platform(name: &str, value: &str) -> bool {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    let of_service = name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_");
    // `X_PORT=tcp://10.0.0.1:80`, and `X_PORT_80_TCP` with `_PROTO`, `_PORT` and `_ADDR`.
    let is_url = PROTOCOLS
        .iter()
        .any(|protocol| value.starts_with(&format!("{}://", protocol.to_lowercase())));
    let of_port = name.split_once("_PORT_").is_some_and(|(_, rest)| {
        let mut parts = rest.split('_');
        parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
            && parts.next().is_some_and(|name| PROTOCOLS.contains(&name))
    });
    of_service || of_port || (name.ends_with("_PORT") && is_url)
}

fn collect(command: &Command, names: &mut BTreeSet<String>) {
    let variables = command.get_arguments().filter_map(clap::Arg::get_env);
    names.extend(variables.filter_map(|name| name.to_str().map(str::to_owned)));
    for command in command.get_subcommands() {
        collect(command, names);
    }
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<String> {
        let inner = Command::new("serve").arg(Arg::new("listen").env("TRUEHOOK_LISTEN"));
        let command = Command::new("truehook").subcommand(inner);
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        unknown(&command, variables)
    }

    #[test]
    fn a_variable_that_no_command_reads_is_found() {
        let variables = [
            ("TRUEHOOK_LISTNE", "x"),
            ("TRUEHOOK_LISTEN", "x"),
            ("TRUEHOOKS", "x"),
            ("PATH", "x"),
            ("TRUEHOOK_REPORT", "x"),
            ("TRUEHOOK_PORT", "8080"),
        ];
        assert_eq!(
            found(&variables),
            [
                "TRUEHOOK_LISTNE is not a setting, and has no effect; did you mean TRUEHOOK_LISTEN?",
                "TRUEHOOK_PORT is not a setting, and has no effect",
                "TRUEHOOK_REPORT is not a setting, and has no effect",
            ]
        );
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_of_our_name_is_left_out() {
        let variables = [
            ("TRUEHOOK_SERVICE_HOST", "10.0.0.11"),
            ("TRUEHOOK_SERVICE_PORT", "8080"),
            ("TRUEHOOK_SERVICE_PORT_HTTP", "8080"),
            ("TRUEHOOK_PORT", "tcp://10.0.0.11:8080"),
            ("TRUEHOOK_PORT_8080_TCP", "tcp://10.0.0.11:8080"),
            ("TRUEHOOK_PORT_8080_TCP_PROTO", "tcp"),
            ("TRUEHOOK_PORT_8080_TCP_PORT", "8080"),
            ("TRUEHOOK_PORT_8080_TCP_ADDR", "10.0.0.11"),
            ("TRUEHOOK_TEST_PORT_53_UDP_ADDR", "10.0.0.11"),
        ];
        assert_eq!(found(&variables), Vec::<String>::new());
    }
}
