//! Which webhooks want events: asked for many events at once.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::Transaction;

use super::claimed::target_columns;
use super::{Result, partitions, query, rows};
use crate::domain::{Audience, Event, ProviderName};
use crate::storage::StoreError;
use crate::storage::targets::{SealedTarget, Targets};

/// Which webhooks want an event: events for the same have the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    audience: &'static str,
    provider: ProviderName,
    event_type: String,
    owner: Option<String>,
    account: Option<String>,
}

/// A webhook that wants an event.
pub(super) struct Wanting {
    pub(super) lane: i64,
    pub(super) target: Arc<SealedTarget>,
}

pub(super) fn key(event: &Event, audience: Audience) -> Key {
    let clean = |value: &Option<String>| rows::optional_text(value.as_deref()).map(Into::into);
    Key {
        audience: rows::audience(audience),
        provider: event.provider,
        event_type: rows::text(&event.event_type).into_owned(),
        owner: clean(&event.owner),
        account: match audience {
            Audience::Account => clean(&event.account_id),
            Audience::Owner | Audience::Platform => None,
        },
    }
}

/// The webhooks that want events of each key, in the order of their registration.
pub(super) async fn matching(
    tx: &Transaction<'_>,
    targets: &Targets,
    keys: &HashMap<Key, usize>,
) -> Result<Vec<Vec<Wanting>>> {
    let mut ordered: Vec<(&Key, usize)> = keys.iter().map(|(key, place)| (key, *place)).collect();
    ordered.sort_unstable_by_key(|(_, place)| *place);
    let column = |of: fn(&Key) -> Option<&str>| -> Vec<Option<&str>> {
        ordered.iter().map(|(key, _)| of(key)).collect()
    };
    let places: Vec<i32> = (0..).take(ordered.len()).collect();
    let found = query(
        tx,
        "SELECT wanted.place, webhook.number, webhook.id, webhook.url, webhook.signing_secret, webhook.authorization_header
         FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
             AS wanted (place, audience, provider, event_type, owner, account)
         CROSS JOIN LATERAL (
             SELECT webhook.number FROM webhook
             WHERE wanted.audience = 'owner' AND webhook.provider = wanted.provider AND webhook.owner = wanted.owner
                 AND EXISTS (SELECT 1 FROM subscription
                     WHERE subscription.webhook = webhook.number AND subscription.event_type = wanted.event_type)
             UNION ALL
             SELECT subscription.webhook FROM subscription
             WHERE wanted.audience <> 'owner' AND subscription.event_type = wanted.event_type
                 AND subscription.account = ANY (ARRAY['', wanted.account])
         ) AS found
         JOIN webhook ON webhook.number = found.number AND webhook.deleted_at IS NULL AND webhook.enabled
             AND webhook.provider = wanted.provider AND (wanted.owner IS NULL OR webhook.owner = wanted.owner)
         ORDER BY wanted.place, webhook.number",
        &[
            &places,
            &column(|key| Some(key.audience)),
            &column(|key| Some(key.provider.as_str())),
            &column(|key| Some(&key.event_type)),
            &column(|key| key.owner.as_deref()),
            &column(|key| key.account.as_deref()),
        ],
    )
    .await?;
    let mut wanting: Vec<Vec<Wanting>> = ordered.iter().map(|_| Vec::new()).collect();
    for row in found {
        let place = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default();
        let lane = row.try_get(1)?;
        wanting[place].push(Wanting {
            lane,
            target: targets.get(&target_columns(&row, lane, 2)?),
        });
    }
    for wanting in &wanting {
        if wanting.len() >= 1 << partitions::FAN_OUT_BITS {
            return Err(StoreError::Damaged(
                "more webhooks want an event than there are numbers for its deliveries".to_owned(),
            ));
        }
    }
    Ok(wanting)
}
