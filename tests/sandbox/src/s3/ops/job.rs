//! `CreateJob` of S3 Batch Operations: checked as S3 Control's model asks, kept, never run.
//!
//! S3 Control is a service of its own beside S3, at the same port here: its requests are told by the header that names the
//! account, and its errors wear a coat that S3's do not.
//!
//! What does not belong here: doing what a job says.

use std::collections::BTreeSet;

use http::{HeaderMap, Method, Uri};
use quick_xml::Reader;
use quick_xml::events::Event;
use s3s::{S3Error, S3Result};

use crate::s3::sse::header;
use crate::s3::state::S3State;
use crate::s3::{access, error};
use crate::store::random_hex;

/// Names the account; S3's own requests never have it.
pub const ACCOUNT_HEADER: &str = "x-amz-account-id";
const PATH: &str = "/v20180820/jobs";
const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// A job that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// The texts of the request's elements in their order, each with its path below the root, such as
    /// `ManifestGenerator/S3JobManifestGenerator/SourceBucket`; an element without any has an empty one.
    pub fields: Vec<(String, String)>,
}

impl JobView {
    /// The text of an element, if it was sent.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<&str> {
        first(&self.fields, path)
    }
}

/// Whether a request creates a job.
pub fn is_job(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    method == Method::POST && uri.path() == PATH && headers.contains_key(ACCOUNT_HEADER)
}

/// `CreateJob`: its answer's XML. A token that was seen before makes no second job.
pub fn create(state: &S3State, headers: &HeaderMap, xml: &[u8]) -> S3Result<String> {
    if header(headers, ACCOUNT_HEADER) != Some(&*state.account) {
        return Err(error::access_denied());
    }
    let fields = read(xml).ok_or_else(error::malformed_xml)?;
    check(&fields, &state.account)?;
    access::may(state, "iam:PassRole", first(&fields, "RoleArn").unwrap_or_default())?;
    let token = first(&fields, "ClientRequestToken");
    let mut inner = state.lock();
    let id = match inner.jobs.iter().find(|job| job.field("ClientRequestToken") == token) {
        Some(job) if job.fields == fields => job.id.clone(),
        Some(_) => return Err(error::idempotency()),
        None => {
            let hex = random_hex::<16>();
            let id = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
            inner.jobs.push(JobView { id: id.clone(), fields });
            id
        }
    };
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CreateJobResult xmlns=\"{NAMESPACE}\"><JobId>{id}</JobId></CreateJobResult>"
    ))
}

/// The error as S3 Control sends it, from the error as S3 does.
pub fn coated(error: &str) -> String {
    let (head, body) = error.split_at(error.find("<Error>").unwrap_or(0));
    format!("{head}<ErrorResponse xmlns=\"{NAMESPACE}\">{body}</ErrorResponse>")
}

fn first<'a>(fields: &'a [(String, String)], path: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found == path).map(|(_, text)| &**text)
}

/// Reads all leaves below `CreateJobRequest`.
fn read(xml: &[u8]) -> Option<Vec<(String, String)>> {
    let name = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let mut reader = Reader::from_reader(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut fields) = (Vec::new(), Vec::new());
    let (mut text, mut is_leaf) = (String::new(), false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(name(start.local_name().as_ref())?);
                (text, is_leaf) = (String::new(), true);
            }
            Event::Text(piece) => text.push_str(&piece.decode().ok()?),
            Event::GeneralRef(entity) => text.push_str(match &*entity.decode().ok()? {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => return None,
            }),
            Event::End(_) if path.len() == 1 => return (path[0] == "CreateJobRequest").then_some(fields),
            Event::End(_) => {
                if is_leaf {
                    fields.push((path[1..].join("/"), std::mem::take(&mut text)));
                }
                is_leaf = false;
                path.pop();
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// What the model requires, as far as s3seal can get it wrong.
fn check(fields: &[(String, String)], account: &str) -> S3Result<()> {
    let text = |path: &str| first(fields, path).filter(|text| !text.is_empty());
    let mut required = vec!["ClientRequestToken", "Priority", "RoleArn", "Report/Enabled"];
    if text("Report/Enabled") == Some("true") {
        required.extend(["Report/Bucket", "Report/Format", "Report/ReportScope"]);
    }
    if !below(fields, "ManifestGenerator").is_empty() {
        required.push("ManifestGenerator/S3JobManifestGenerator/EnableManifestOutput");
    }
    if let Some(missing) = required.into_iter().find(|path| text(path).is_none()) {
        return Err(invalid(format!("Missing required parameter {missing}.")));
    }
    if below(fields, "Operation").len() != 1 {
        return Err(invalid("Exactly one operation must be specified."));
    }
    if below(fields, "Manifest").is_empty() == below(fields, "ManifestGenerator").is_empty() {
        return Err(invalid("Exactly one of Manifest and ManifestGenerator must be specified."));
    }
    let role = text("RoleArn").unwrap_or_default();
    if role.split(':').nth(4) != Some(account) || !role.contains(":role/") {
        return Err(invalid("The role must belong to the account that creates the job."));
    }
    let too_long = |path: &str, limit| text(path).is_some_and(|text| text.chars().count() > limit);
    if too_long("Description", 256) || too_long("ClientRequestToken", 64) || too_long("Report/Prefix", 512) {
        return Err(invalid("A parameter is too long."));
    }
    let update = "Operation/S3UpdateObjectEncryption";
    let key =
        text("Operation/S3UpdateObjectEncryption/ObjectEncryption/SSE-KMS/KMSKeyArn").unwrap_or_default();
    let is_arn = key.starts_with("arn:") && key.contains(":kms:") && key.contains(":key/");
    if !below(fields, update).is_empty() && !is_arn {
        return Err(invalid("KMSKeyArn must be the full ARN of a KMS key."));
    }
    check_generator(fields)
}

/// What it requires of a generated manifest.
fn check_generator(fields: &[(String, String)]) -> S3Result<()> {
    const GENERATOR: &str = "ManifestGenerator/S3JobManifestGenerator";
    let source = first(fields, &format!("{GENERATOR}/SourceBucket"));
    if source.is_some_and(|arn| !arn.starts_with("arn:") || !arn.contains(":s3:")) {
        return Err(invalid("SourceBucket must be the ARN of a bucket."));
    }
    if below(fields, &format!("{GENERATOR}/Filter/MatchAnyObjectEncryption/ObjectEncryption")).len() > 1 {
        return Err(invalid("MatchAnyObjectEncryption must have length less than or equal to 1."));
    }
    for list in ["MatchAnyPrefix", "MatchAnySuffix", "MatchAnySubstring"] {
        let members = format!("{GENERATOR}/Filter/KeyNameConstraint/{list}/member");
        if fields.iter().filter(|(path, _)| *path == members).count() > 1 {
            return Err(invalid(format!("{list} must have length less than or equal to 1.")));
        }
    }
    Ok(())
}

/// The names of the elements right below one.
fn below<'a>(fields: &'a [(String, String)], parent: &str) -> BTreeSet<&'a str> {
    let rest = fields.iter().filter_map(|(path, _)| path.strip_prefix(parent)?.strip_prefix('/'));
    rest.filter_map(|rest| rest.split('/').next()).collect()
}

fn invalid(text: impl Into<String>) -> S3Error {
    error::invalid_request(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "<CreateJobRequest xmlns='x'><ClientRequestToken>t</ClientRequestToken><Priority>1</Priority>\
        <Operation><S3UpdateObjectEncryption><ObjectEncryption><SSE-KMS>\
        <KMSKeyArn>arn:aws:kms:us-east-1:111122223333:key/k</KMSKeyArn></SSE-KMS></ObjectEncryption>\
        </S3UpdateObjectEncryption></Operation><Report><Enabled>false</Enabled></Report>\
        <ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::b</SourceBucket>\
        <Filter><KeyNameConstraint><MatchAnyPrefix><member>a&amp;b/</member></MatchAnyPrefix></KeyNameConstraint>\
        <MatchAnyObjectEncryption><ObjectEncryption><SSE-S3/></ObjectEncryption></MatchAnyObjectEncryption></Filter>\
        <EnableManifestOutput>false</EnableManifestOutput></S3JobManifestGenerator></ManifestGenerator>\
        <RoleArn>arn:aws:iam::111122223333:role/r</RoleArn></CreateJobRequest>";

    fn refusal(from: &str, to: &str) -> Option<String> {
        let changed = WHOLE.replacen(from, to, 1);
        assert_ne!(changed, WHOLE, "{from}");
        let fields = read(changed.as_bytes()).expect("it is XML");
        check(&fields, "111122223333").err().map(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn leaves_are_read_with_their_paths() {
        let fields = read(WHOLE.as_bytes()).unwrap();
        assert!(check(&fields, "111122223333").is_ok());
        let filter = "ManifestGenerator/S3JobManifestGenerator/Filter";
        let at = |path: &str| first(&fields, &format!("{filter}/{path}")).map(str::to_owned);
        assert_eq!(at("KeyNameConstraint/MatchAnyPrefix/member").as_deref(), Some("a&b/"));
        assert_eq!(at("MatchAnyObjectEncryption/ObjectEncryption/SSE-S3").as_deref(), Some(""));
        assert_eq!(read(b"<CreateJobRequest><Priority>"), None);
        assert_eq!(read(b"<Other><Priority>1</Priority></Other>"), None);
    }

    #[test]
    fn what_the_model_forbids_is_refused() {
        for (from, to) in [
            ("<ClientRequestToken>t</ClientRequestToken>", ""),
            ("<Priority>1</Priority>", ""),
            ("<Enabled>false", "<Enabled>true"),
            ("</S3UpdateObjectEncryption>", "</S3UpdateObjectEncryption><S3DeleteObjectTagging/>"),
            ("<RoleArn>", "<Manifest><Spec>s</Spec></Manifest><RoleArn>"),
            ("arn:aws:iam::111122223333", "arn:aws:iam::444455556666"),
            ("arn:aws:s3:::b", "b"),
            ("<SSE-S3/>", "<SSE-S3/></ObjectEncryption><ObjectEncryption><SSE-KMS/>"),
            ("</member>", "</member><member>c</member>"),
            ("key/k", "alias/k"),
            ("<EnableManifestOutput>false</EnableManifestOutput>", ""),
        ] {
            assert!(refusal(from, to).is_some(), "{from} -> {to}");
        }
    }
}
