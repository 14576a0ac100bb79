//! Sends a large body piece by piece.
//!
//! The body of an answer is copied into the connection's buffer, as a whole where it is given as a whole: a client that asks for large
//! answers and reads none of them would fill the memory. A piece is copied when the one before it is on its way.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

/// The size of a piece, in bytes.
const PIECE: usize = 16 * 1024;

/// A body that is given out in pieces where all of it is there already.
#[derive(Debug)]
pub(crate) enum Slices<B> {
    /// The rest of a body that is there as a whole.
    Whole(Bytes),
    /// A body that is small, or comes in pieces of its own.
    Other(B),
}

impl<B: MessageBody> Slices<B> {
    /// Cuts a body up where it is large.
    pub(crate) fn of(body: B) -> Self {
        match body.size() {
            BodySize::Sized(size) if size > PIECE as u64 => match body.try_into_bytes() {
                Ok(bytes) => Self::Whole(bytes),
                Err(body) => Self::Other(body),
            },
            _ => Self::Other(body),
        }
    }
}

impl<B: MessageBody + Unpin> MessageBody for Slices<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        match self {
            Self::Whole(bytes) => BodySize::Sized(bytes.len() as u64),
            Self::Other(body) => body.size(),
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            // Shared with what is left: no byte is copied here.
            Self::Whole(bytes) => Poll::Ready(Some(Ok(bytes.split_to(PIECE.min(bytes.len()))))),
            Self::Other(body) => Pin::new(body).poll_next(context),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self {
            Self::Whole(mut bytes) => Ok(mem::take(&mut bytes)),
            Self::Other(body) => body.try_into_bytes().map_err(Self::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn pieces(body: Vec<u8>) -> Vec<Bytes> {
        let mut slices = Slices::of(body);
        let mut pieces = Vec::new();
        while let Some(piece) = poll_fn(|context| Pin::new(&mut slices).poll_next(context)).await {
            pieces.push(piece.unwrap());
        }
        pieces
    }

    #[actix_web::test]
    async fn a_large_body_comes_in_pieces_and_a_small_one_as_it_is() {
        for (size, expected) in [(0, 0), (1, 1), (PIECE, 1), (PIECE + 1, 2), (10 * PIECE, 10)] {
            let body: Vec<u8> = (0..size)
                .map(|index| u8::try_from(index % 251).unwrap())
                .collect();
            assert_eq!(
                Slices::of(body.clone()).size(),
                BodySize::Sized(size as u64)
            );
            let pieces = pieces(body.clone()).await;
            assert_eq!(pieces.len(), expected, "{size}");
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
            assert_eq!(pieces.concat(), body);
            assert_eq!(Slices::of(body.clone()).try_into_bytes().unwrap(), body);
        }
    }
}
