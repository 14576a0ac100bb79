//! API keys: kept, found and revoked.

use super::{CONDUIT, EQUALS_MONEY, at, fresh};
use crate::domain::{ApiKey, Fingerprint};

#[tokio::test]
async fn keys_are_found_by_fingerprint_listed_in_order_and_revoked_once() {
    let subject = fresh().await;
    let api_key = |id: &str, second| ApiKey {
        id: id.to_owned(),
        provider: CONDUIT,
        owner: "client".to_owned(),
        name: Some("name".to_owned()),
        key: Fingerprint::of(id.as_bytes()),
        secret: Some(Fingerprint::of(b"secret")),
        created_at: at(second),
        revoked_at: None,
    };
    subject.store.insert_key(api_key("2", 1)).await.unwrap();
    subject.store.insert_key(api_key("1", 2)).await.unwrap();
    assert!(
        subject.store.insert_key(api_key("1", 3)).await.is_err(),
        "the same key twice"
    );
    let find = |provider, text: &'static str| {
        let store = subject.store.clone();
        async move {
            store
                .key(provider, Fingerprint::of(text.as_bytes()))
                .await
                .unwrap()
        }
    };
    let found = find(CONDUIT, "1").await.unwrap();
    assert_eq!((found.owner.as_str(), found.created_at), ("client", at(2)));
    assert_eq!(found.secret, Some(Fingerprint::of(b"secret")));
    assert!(find(EQUALS_MONEY, "1").await.is_none());
    assert!(find(CONDUIT, "3").await.is_none());
    let all: Vec<String> = subject
        .store
        .keys()
        .await
        .unwrap()
        .into_iter()
        .map(|key| key.id)
        .collect();
    assert_eq!(all, ["2", "1"]);
    assert!(
        subject
            .store
            .revoke_key("1".to_owned(), at(9))
            .await
            .unwrap()
    );
    assert!(
        !subject
            .store
            .revoke_key("1".to_owned(), at(10))
            .await
            .unwrap()
    );
    assert!(
        !subject
            .store
            .revoke_key("3".to_owned(), at(9))
            .await
            .unwrap()
    );
    assert_eq!(find(CONDUIT, "1").await.unwrap().revoked_at, Some(at(9)));
}
