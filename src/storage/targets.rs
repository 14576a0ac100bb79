//! Webhooks as attempts need them, kept with their secrets opened: a webhook has many deliveries, and opening secrets is work.
//!
//! A kept webhook is compared with its row, byte by byte, each time before it is used. So a change takes effect at once, whichever process
//! made it, and a secret that was sealed again is opened again. A deleted webhook stays in memory until the map is full and is cleared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::StoreError;
use super::seal::Sealer;
use crate::domain::{ReceiverUrl, Target};

/// How many webhooks are kept, of some hundred bytes each.
const KEPT: usize = 4_096;

/// Webhooks that were attempted lately.
#[derive(Default)]
pub(super) struct Targets(Mutex<HashMap<i64, Arc<SealedTarget>>>);

/// A webhook as an attempt needs it (E-58), its secrets still sealed.
#[derive(Debug)]
pub(super) struct SealedTarget {
    lane: i64,
    id: String,
    url: String,
    signing_secret: Option<Vec<u8>>,
    authorization: Option<Vec<u8>>,
    /// With its secrets opened, once that was done.
    opened: OnceLock<Arc<Target>>,
}

/// What the tables say of a webhook.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetColumns<'r> {
    /// Its number.
    pub(super) lane: i64,
    pub(super) id: &'r str,
    pub(super) url: &'r str,
    pub(super) signing_secret: Option<&'r [u8]>,
    pub(super) authorization: Option<&'r [u8]>,
}

impl Targets {
    /// The webhook that the tables say this of.
    pub(super) fn get(&self, columns: &TargetColumns<'_>) -> Arc<SealedTarget> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = kept.get(&columns.lane)
            && target.is(columns)
        {
            return target.clone();
        }
        let target = Arc::new(SealedTarget::of(columns));
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(columns.lane, target.clone());
        target
    }
}

impl SealedTarget {
    /// With nothing opened yet.
    pub(super) fn of(columns: &TargetColumns<'_>) -> Self {
        Self {
            lane: columns.lane,
            id: columns.id.to_owned(),
            url: columns.url.to_owned(),
            signing_secret: columns.signing_secret.map(<[u8]>::to_vec),
            authorization: columns.authorization.map(<[u8]>::to_vec),
            opened: OnceLock::new(),
        }
    }

    fn is(&self, columns: &TargetColumns<'_>) -> bool {
        self.id == columns.id
            && self.url == columns.url
            && self.signing_secret.as_deref() == columns.signing_secret
            && self.authorization.as_deref() == columns.authorization
    }

    /// Its number.
    pub(super) fn lane(&self) -> i64 {
        self.lane
    }

    /// The webhook, its secrets opened.
    pub(super) fn open(&self, sealer: &Sealer) -> Result<Arc<Target>, StoreError> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened.clone());
        }
        let open = |sealed: &Option<Vec<u8>>, place: String| {
            let sealed = sealed.as_ref();
            sealed.map(|sealed| sealer.open(&place, sealed)).transpose()
        };
        let target = Arc::new(Target {
            lane: self.lane,
            webhook_id: self.id.clone(),
            url: ReceiverUrl::from_stored(self.url.clone()),
            signing_secret: open(&self.signing_secret, secret_place(&self.id))?,
            authorization: open(&self.authorization, authorization_place(&self.id))?,
        });
        Ok(self.opened.get_or_init(|| target).clone())
    }
}

/// Where a webhook's signing secret is sealed.
pub(super) fn secret_place(id: &str) -> String {
    format!("webhook/{id}/signing_secret")
}

/// Where a webhook's authorization header is sealed.
pub(super) fn authorization_place(id: &str) -> String {
    format!("webhook/{id}/authorization_header")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;
    use crate::storage::EncryptionKey;

    fn sealer() -> Sealer {
        Sealer::new(&EncryptionKey::from_hex(&"01".repeat(32)).unwrap().into())
    }

    fn sealed(sealer: &Sealer, secret: &str) -> Vec<u8> {
        let place = secret_place("w");
        sealer
            .seal(sealer.newest(), &place, &Secret::new(secret))
            .unwrap()
    }

    fn columns(secret: &[u8]) -> TargetColumns<'_> {
        TargetColumns {
            lane: 7,
            id: "w",
            url: "https://a.example/",
            signing_secret: Some(secret),
            authorization: None,
        }
    }

    #[test]
    fn a_webhook_is_opened_once_and_again_after_any_change() {
        let (targets, sealer) = (Targets::default(), sealer());
        let (first, second) = (sealed(&sealer, "first"), sealed(&sealer, "second"));
        let opened = |columns: &TargetColumns<'_>| targets.get(columns).open(&sealer).unwrap();
        let before = opened(&columns(&first));
        assert!(Arc::ptr_eq(&before, &opened(&columns(&first))));
        let changed = opened(&columns(&second));
        assert_eq!(changed.signing_secret, Some(Secret::new("second")));
        let moved = TargetColumns {
            url: "https://b.example/",
            ..columns(&second)
        };
        assert_eq!(opened(&moved).url.as_str(), "https://b.example/");
        let unsigned = TargetColumns {
            signing_secret: None,
            ..moved
        };
        assert_eq!(opened(&unsigned).signing_secret, None);
        let renamed = TargetColumns {
            id: "v",
            ..unsigned
        };
        assert_eq!(opened(&renamed).webhook_id, "v");
        // Sealed for another place: it fails to open, and no kept webhook is used instead.
        let place = secret_place("other");
        let foreign = sealer.seal(sealer.newest(), &place, &Secret::new("x"));
        assert!(
            targets
                .get(&columns(&foreign.unwrap()))
                .open(&sealer)
                .is_err()
        );
    }

    #[test]
    fn no_more_webhooks_are_kept_than_are_worth_their_memory() {
        let targets = Targets::default();
        for lane in 0..=i64::try_from(KEPT).unwrap() {
            targets.get(&TargetColumns {
                lane,
                ..columns(b"")
            });
        }
        assert_eq!(targets.0.lock().unwrap().len(), 1);
    }
}
