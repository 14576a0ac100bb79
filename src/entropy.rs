//! The only source of randomness. Pure code takes what it needs of it as an argument.

use std::cell::RefCell;

use jiff::Timestamp;
use uuid::Uuid;
use zeroize::Zeroize;

/// The number of bytes fetched at once: ids are made in thousands a second, and each fetch is a call of the operating system.
const FETCHED: usize = 512;

thread_local! {
    static STOCK: RefCell<Stock> = const { RefCell::new(Stock { bytes: [0; FETCHED], used: FETCHED }) };
}

/// Random bytes of which the first `used` were given out, and are no longer here.
struct Stock {
    bytes: [u8; FETCHED],
    used: usize,
}

/// `N` random bytes from the operating system, at most 512.
///
/// # Panics
/// When the operating system has no randomness to give: nothing can be served safely then.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    const { assert!(N <= FETCHED) };
    STOCK.with_borrow_mut(|stock| {
        if FETCHED - stock.used < N {
            getrandom::fill(&mut stock.bytes).expect("the operating system gives random bytes");
            stock.used = 0;
        }
        let given = &mut stock.bytes[stock.used..stock.used + N];
        stock.used += N;
        let mut bytes = [0; N];
        bytes.copy_from_slice(given);
        // They may become a secret, which is to stand in one place only.
        given.zeroize();
        bytes
    })
}

/// A version-7 UUID: the time to the millisecond, then random bits. An index of them grows at its end.
pub(crate) fn time_ordered_uuid(now: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes()).into_uuid()
}

/// A random version-4 UUID.
pub(crate) fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice_on_any_thread() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1_000).map(|_| bytes::<16>()).collect::<Vec<_>>()))
            .collect();
        let all: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        let distinct: HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 4_000);
        assert_ne!(bytes::<FETCHED>(), [0; FETCHED]);
    }
}
