//! Media types, sorted into the kinds of content that they name.

/// Whether a media type is JSON: `application/json` or a `+json` suffix.
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// Whether content of a media type is text: `text/*`, JSON, XML, YAML and forms without files.
#[must_use]
pub fn is_text(media_type: &str) -> bool {
    let known = [
        "application/xml",
        "application/yaml",
        "application/x-www-form-urlencoded",
    ];
    let essence = essence(media_type);
    essence.starts_with("text/")
        || essence.ends_with("+xml")
        || known.contains(&essence.as_str())
        || is_json(&essence)
}

/// The type in lower case, without its parameters.
#[must_use]
pub fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
