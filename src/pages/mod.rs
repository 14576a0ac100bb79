//! What people and probes read: the first page, Swagger UI over the emitted documents, and how a path answers that can only be read.

mod docs;
mod landing;
mod readable;

pub(crate) use self::docs::documents;
pub(crate) use self::landing::landing;
pub(crate) use self::readable::readable;
