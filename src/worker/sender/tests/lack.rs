//! A process that has no open file left: the receiver is not to blame.

use std::fs::File;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::hostile::alone;
use super::*;
use crate::domain::Lack;

/// Takes every file that this process may still open.
fn take_all_files() -> Vec<File> {
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    taken
}

#[test]
fn without_an_open_file_no_attempt_is_made_and_the_receiver_is_not_to_blame() {
    if !alone(
        module_path!(),
        "without_an_open_file_no_attempt_is_made_and_the_receiver_is_not_to_blame",
    ) {
        return;
    }
    let limit = Rlimit {
        current: Some(128),
        ..getrlimit(Resource::Nofile)
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let receiver = Receiver::answering(OK).await;
        let sender = Sender::new(SenderSettings {
            resolver: Arc::new(super::super::SystemResolver),
            ..settings(sandbox())
        });
        let url = receiver.url();
        let name = format!("http://localhost:{}/", receiver.address.port());
        let send = |url: String| {
            let sender = sender.clone();
            async move {
                let body = Bytes::from_static(b"{}");
                sender.send(&url, &[], body, Timestamp::UNIX_EPOCH).await
            }
        };
        let taken = take_all_files();
        assert_eq!(send(url.clone()).await.unwrap_err(), Lack::Files);
        assert_eq!(send(name.clone()).await.unwrap_err(), Lack::Files);
        assert_eq!(receiver.connections(), 0);
        drop(taken);
        assert_eq!(status(&send(url).await.unwrap()), Some(200));

        // Now a connection is idle, and is closed for the one that is needed.
        let _taken = take_all_files();
        assert_eq!(send(name.clone()).await.unwrap_err(), Lack::Files);
        let freed = async {
            while send(name.clone()).await.is_err() {
                pause(SHORT / 10).await;
            }
        };
        assert!(timeout(LONG, freed).await.is_ok(), "the idle one is kept");
    });
}
