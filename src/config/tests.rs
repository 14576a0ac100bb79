//! Tests of settings: what is refused, and what wins over what.

use super::storage::sandbox_key;
use super::*;

fn config(change: impl FnOnce(&mut Settings)) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("t.db").display());
    let storage = StorageSettings {
        database: Some(database),
        ..StorageSettings::default()
    };
    let mut settings = Settings {
        storage,
        ..Settings::default()
    };
    change(&mut settings);
    settings
        .with_file()
        .and_then(Config::new)
        .map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_a_sandbox_on_loopback() {
    let config = config(|_| {}).unwrap();
    assert_eq!(config.mode, Mode::Sandbox);
    assert!(
        config
            .listen
            .iter()
            .all(|address| address.ip().is_loopback() && address.port() == 8080)
    );
    assert_eq!(config.max_body_bytes, 262_144);
}

#[test]
fn networks_are_allowed_one_by_one_and_private_ones_together() {
    let on = |networks: &[&str]| {
        let networks = networks
            .iter()
            .map(|network| (*network).to_owned())
            .collect();
        config(|settings| settings.allow_addresses = Some(networks))
    };
    let allowed = |networks: &[&str], address: &str| {
        let policy = on(networks).unwrap().delivery.policy;
        policy.check(address.parse().unwrap()).is_ok()
    };
    assert!(!allowed(&[], "172.18.0.2"));
    assert!(allowed(&["private"], "172.18.0.2") && allowed(&["private"], "fd12::1"));
    assert!(!allowed(&["private"], "100.64.0.1"));
    assert!(allowed(&["private", " 100.64.0.0/10"], "100.64.0.1"));
    let message = on(&["Private"]).unwrap_err();
    assert!(
        message.contains("--allow-addresses Private") && message.contains("or `private`"),
        "{message}"
    );
}

#[test]
fn the_operator_api_needs_a_port_of_its_own() {
    let on = |listen: &str, admin: &str| {
        config(|settings| {
            settings.listen = Some(listen.to_owned());
            settings.admin_listen = Some(admin.to_owned());
        })
    };
    let error = on("127.0.0.1:8080", "127.0.0.1:8080").unwrap_err();
    assert!(error.contains("a port of its own"), "{error}");
    assert!(on("127.0.0.1:8080", "127.0.0.1:8081").is_ok());
    assert!(on("127.0.0.1:0", "127.0.0.1:0").is_ok());
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line_that_says_what_to_do() {
    let key = || Some(Secret::new("ab".repeat(32)));
    type Change = Box<dyn FnOnce(&mut Settings)>;
    let refused: [(&str, Change); 14] = [
        ("--lease-seconds", Box::new(|s| s.lease_seconds = Some(10))),
        (
            "--lease-seconds",
            Box::new(|s| s.lease_seconds = Some(u64::MAX)),
        ),
        (
            "--mode production",
            Box::new(|s| s.listen = Some("0.0.0.0:80".into())),
        ),
        ("--listen", Box::new(|s| s.listen = Some("nowhere".into()))),
        ("--clock-speed", Box::new(|s| s.clock_speed = Some(0.0))),
        (
            "--clock-speed",
            Box::new(|s| s.clock_speed = Some(f64::NAN)),
        ),
        ("--max-body-bytes", Box::new(|s| s.max_body_bytes = Some(0))),
        ("--workers", Box::new(|s| s.workers = Some(0))),
        (
            "sqlite://FILE",
            Box::new(|s| s.storage.database = Some("mysql://x".into())),
        ),
        (
            "PostgreSQL",
            Box::new(|s| s.storage.database = Some("postgres://u:hunter2@h/d".into())),
        ),
        (
            "names no file",
            Box::new(|s| s.storage.database = Some("sqlite://".into())),
        ),
        (
            "TRUEHOOK_ENCRYPTION_KEY",
            Box::new(|s| s.storage.mode = Some(Mode::Production)),
        ),
        (
            "64 hexadecimal",
            Box::new(|s| s.storage.encryption_key = Some(Secret::new("abc"))),
        ),
        (
            "sandbox mode",
            Box::new(move |s| {
                s.storage.mode = Some(Mode::Production);
                s.storage.encryption_key = key();
                s.clock_speed = Some(2.0);
            }),
        ),
    ];
    for (expected, change) in refused {
        let message = config(change).unwrap_err();
        assert!(
            message.contains(expected) && !message.contains('\n') && !message.contains("hunter2"),
            "{message}"
        );
    }
}

#[test]
fn settings_of_providers_come_from_flags_and_the_file_and_are_checked() {
    use clap::FromArgMatches;
    let parsed = |words: &[&str]| {
        let command = Settings::augment_args(clap::Command::new("t"));
        let matches = command.try_get_matches_from(words).unwrap();
        Settings::from_arg_matches(&matches).unwrap().providers
    };
    let flags = [
        "t",
        "--equals-money-disabled-event-types",
        "BoxCredited,FeeCreated",
        "--equals-money-rate-limit",
        "3",
    ];
    let mut expected = provider::Settings::default();
    expected.set(
        "equals-money-disabled-event-types",
        ["BoxCredited", "FeeCreated"],
    );
    expected.set("equals-money-rate-limit", ["3"]);
    let found = config(|settings| settings.providers = parsed(&flags)).unwrap();
    assert_eq!(found.providers, expected);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truehook.toml");
    let text = "equals-money-disabled-event-types = [\"BoxCredited\", \"FeeCreated\"]\nequals-money-rate-limit = \"3\"\n";
    fs::write(&file, text).unwrap();
    let found = config(|settings| settings.storage.config = Some(file)).unwrap();
    assert_eq!(found.providers, expected);
    for (words, said) in [
        (
            ["t", "--equals-money-rate-limit", "0"],
            "--equals-money-rate-limit 0: must be a whole number from 1",
        ),
        (
            ["t", "--equals-money-disabled-event-types", "x"],
            "--equals-money-disabled-event-types x: not an event type",
        ),
    ] {
        let message = config(|settings| settings.providers = parsed(&words)).unwrap_err();
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truehook.toml");
    fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\nmax-body-bytes = 5\nequals-money-rate-limit = 7\n",
    )
    .unwrap();
    let config = config(|settings| {
        settings.storage.config = Some(file);
        settings.max_body_bytes = Some(6);
    })
    .unwrap();
    assert_eq!(config.listen[0].port(), 1);
    assert_eq!(config.max_body_bytes, 6);
    let mut expected = provider::Settings::default();
    expected.set("equals-money-rate-limit", ["7"]);
    assert_eq!(config.providers, expected);
}

#[test]
fn a_bad_file_is_refused_with_its_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truehook.toml");
    for (text, expected) in [
        ("listen = ", "string values must be quoted"),
        (
            "listne = \"x\"",
            "`listne` is not a setting; did you mean `listen`?",
        ),
        (
            "frobnicate = 1",
            "`frobnicate` is not a setting; the settings are listen, ",
        ),
        (
            "max-body-bytes = \"x\"",
            "`max-body-bytes`: invalid type: string \"x\", expected a whole number from 0",
        ),
        ("retention-days = -1", "`retention-days`: invalid value"),
        (
            "clock-speed = \"x\"",
            "`clock-speed`: invalid type: string \"x\", expected a number",
        ),
        ("listen = 8080", "`listen`: invalid type: integer `8080`"),
        ("allow-host = \"a\"", "`allow-host`: invalid type"),
        ("config = \"x\"", "`config` is not a setting"),
        ("mode = \"test\"", "`mode`: unknown variant `test`"),
        (
            "equals-money-rate-limit = 1.5",
            "`equals-money-rate-limit` must be a text or a number",
        ),
        (
            "equals-money-rate-limit = [1]",
            "`equals-money-rate-limit` must be a text or a number",
        ),
        (
            "equals-money-disabled-event-types = [true]",
            "`equals-money-disabled-event-types` must be a list of texts",
        ),
        ("api = 1\napi = 2", "duplicate key"),
    ] {
        // What is right does not hide what is wrong, before it or behind it.
        fs::write(
            &file,
            format!("# a comment\nstop-seconds = 7\n{text}\nworkers = 2\n"),
        )
        .unwrap();
        let message = config(|settings| settings.storage.config = Some(file.clone())).unwrap_err();
        let line = if text.contains('\n') { 4 } else { 3 };
        let place = format!("truehook.toml, line {line}: ");
        assert!(
            message.contains(expected) && message.contains(&place) && !message.contains('\n'),
            "{message}"
        );
    }
    let message =
        config(|settings| settings.storage.config = Some(folder.path().join("none"))).unwrap_err();
    assert!(message.contains("cannot read"), "{message}");
}

#[test]
fn a_value_of_the_file_that_makes_no_sense_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truehook.toml");
    let with = |text: &str, change: fn(&mut Settings)| {
        fs::write(&file, format!("stop-seconds = 7\n{text}\nlog = \"info\"\n")).unwrap();
        let message = config(|settings| {
            settings.storage.config = Some(file.clone());
            if text.starts_with("database") {
                settings.storage.database = None;
            }
            change(settings);
        });
        message.unwrap_err()
    };
    for (text, flag) in [
        ("listen = 'nowhere'", "--listen"),
        ("base-path = 'a?b'", "--base-path"),
        ("workers = 0", "--workers"),
        ("lease-seconds = 1", "--lease-seconds"),
        ("clock-speed = -1", "--clock-speed"),
        ("max-body-bytes = 0", "--max-body-bytes"),
        ("attempts-in-flight = 0", "--attempts-in-flight"),
        ("allow-addresses = ['x']", "--allow-addresses"),
        ("allow-host = ['a b']", "--allow-host"),
        ("egress-proxy = 'ftp://x'", "--egress-proxy"),
        ("otlp-endpoint = 'ftp://x'", "--otlp-endpoint"),
        ("database = 'mysql://x'", "--database"),
        ("equals-money-rate-limit = 'x'", "--equals-money-rate-limit"),
    ] {
        let message = with(text, |_| ());
        assert!(message.contains("truehook.toml, line 2: "), "{message}");
        assert!(
            message.contains(flag) && !message.contains('\n'),
            "{message}"
        );
    }
    // The fault is that of the flag, which counts for more.
    let message = with("lease-seconds = 1", |settings| {
        settings.lease_seconds = Some(2);
    });
    assert!(message.starts_with("--lease-seconds 2: "), "{message}");
    // So is that of a flag which the file goes with.
    let message = with("mode = 'sandbox'", |settings| {
        settings.listen = Some("0.0.0.0:8080".to_owned());
    });
    assert!(
        message.contains("--listen 0.0.0.0:8080") && !message.contains("truehook.toml"),
        "{message}"
    );
    // Of two, the one that is named first; a name that begins another one is not that name.
    let message = with("listen = '127.0.0.1:1'", |settings| {
        settings.admin_listen = Some("127.0.0.1:1".to_owned());
    });
    assert!(
        message.contains("line 2: --listen and --admin-listen"),
        "{message}"
    );
}

#[test]
fn a_database_without_its_key_file_is_not_opened_with_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    fs::write(&path, "data").unwrap();
    let message = sandbox_key(&path).unwrap_err().to_string();
    assert!(message.contains("t.db.key"), "{message}");
    assert!(!folder.path().join("t.db.key").exists());
}
