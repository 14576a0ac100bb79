//! What people look at in a browser: the first page, and Swagger UI over the emitted documents.

mod docs;
mod landing;

pub(crate) use self::docs::documents;
pub(crate) use self::landing::landing;
