//! Conditional requests: `If-Match` and its kin, on reads, writes and the sources of copies.
//!
//! What does not belong here: what happens if the conditions hold.

use http::HeaderMap;
use s3s::S3Result;
use s3s::dto::{Timestamp, TimestampFormat};
use time::OffsetDateTime;

use super::error;
use super::sse::header;

/// The conditions of one request on one object.
#[derive(Debug, Default)]
pub struct Conditions {
    matches: Option<String>,
    none_match: Option<String>,
    modified_since: Option<OffsetDateTime>,
    unmodified_since: Option<OffsetDateTime>,
}

impl Conditions {
    /// The conditions on the object itself.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::read(headers, "")
    }

    /// The one condition that the object's tag is this one, if one is given.
    pub fn matching(etag: Option<&str>) -> Self {
        Self { matches: etag.map(str::to_owned), ..Self::default() }
    }

    /// The conditions on the source of a copy.
    pub fn of_source(headers: &HeaderMap) -> Self {
        Self::read(headers, "x-amz-copy-source-")
    }

    fn read(headers: &HeaderMap, prefix: &str) -> Self {
        let text = |name| header(headers, &format!("{prefix}{name}"));
        let time = |name| {
            let stamp = Timestamp::parse(TimestampFormat::HttpDate, text(name)?).ok()?;
            Some(OffsetDateTime::from(stamp))
        };
        Self {
            matches: text("if-match").map(str::to_owned),
            none_match: text("if-none-match").map(str::to_owned),
            modified_since: time("if-modified-since"),
            unmodified_since: time("if-unmodified-since"),
        }
    }

    /// Checks them before a read: 412 or 304.
    pub fn check_read(&self, etag: &str, modified: OffsetDateTime) -> S3Result<()> {
        let seconds = modified.unix_timestamp();
        let too_new = |since: &OffsetDateTime| seconds > since.unix_timestamp();
        match (&self.matches, &self.unmodified_since) {
            (Some(tags), _) if !lists(tags, etag) => return Err(error::precondition_failed()),
            (None, Some(since)) if too_new(since) => return Err(error::precondition_failed()),
            _ => {}
        }
        match (&self.none_match, &self.modified_since) {
            (Some(tags), _) if lists(tags, etag) => Err(error::not_modified()),
            (None, Some(since)) if !too_new(since) => Err(error::not_modified()),
            _ => Ok(()),
        }
    }

    /// Checks them before a copy reads its source: 412 either way.
    pub fn check_source(&self, etag: &str, modified: OffsetDateTime) -> S3Result<()> {
        self.check_read(etag, modified).map_err(|_| error::precondition_failed())
    }

    /// Checks them before a write over `current`: 412, or 404 if there is nothing to match.
    pub fn check_write(&self, current: Option<&str>) -> S3Result<()> {
        match (&self.matches, &self.none_match) {
            (Some(_), Some(_)) => Err(error::not_implemented()),
            (_, Some(tag)) if tag != "*" => Err(error::not_implemented()),
            (_, Some(_)) if current.is_some() => Err(error::precondition_failed()),
            (Some(tag), _) => match current {
                None => Err(error::no_such_key()),
                Some(etag) if lists(tag, etag) => Ok(()),
                Some(_) => Err(error::precondition_failed()),
            },
            _ => Ok(()),
        }
    }
}

fn lists(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"') == etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    fn conditions(name: &'static str, value: &str) -> Conditions {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Conditions::of(&headers)
    }

    #[test]
    fn of_a_read() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(1);
        let code = |name, value: &str| {
            let result = conditions(name, value).check_read("abc", now);
            result.err().and_then(|e| e.status_code()).map_or(200, |s| s.as_u16())
        };
        assert_eq!(code("if-match", "\"abc\""), 200);
        assert_eq!(code("if-match", "\"x\", \"abc\""), 200);
        assert_eq!(code("if-match", "\"x\""), 412);
        assert_eq!(code("if-none-match", "\"x\""), 200);
        assert_eq!(code("if-none-match", "*"), 304);
        assert_eq!(code("if-modified-since", "Fri, 02 Jan 1970 00:00:00 GMT"), 304);
        assert_eq!(code("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT"), 200);
        assert_eq!(code("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT"), 412);
    }

    #[test]
    fn of_a_write() {
        let code = |name, value, current| {
            let result = conditions(name, value).check_write(current);
            result.err().and_then(|e| e.status_code()).map_or(200, |s| s.as_u16())
        };
        assert_eq!(code("if-none-match", "*", None), 200);
        assert_eq!(code("if-none-match", "*", Some("abc")), 412);
        assert_eq!(code("if-none-match", "\"abc\"", None), 501);
        assert_eq!(code("if-match", "\"abc\"", Some("abc")), 200);
        assert_eq!(code("if-match", "\"x\"", Some("abc")), 412);
        assert_eq!(code("if-match", "\"x\"", None), 404);
    }
}
