//! A bucket as S3 has them, as far as publishing needs it: conditional writes, uploads in parts, lists, removals.
//!
//! After every change it is looked at as a reader would: whatever is wrong with it then, somebody could have seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

/// The key's id, its secret, and the session's token.
pub(crate) const CREDENTIALS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIATESTKEY"),
    ("AWS_SECRET_ACCESS_KEY", "the-secret-of-the-bucket"),
    ("AWS_SESSION_TOKEN", "the-token-of-the-session"),
];

/// Before or after a change is made, the answer to it does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// How a bucket misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    /// It says that it has no such bucket.
    Missing,
    /// It says that the credentials are not enough.
    Denying,
    /// It passes over the conditions of writes.
    Unconditional,
    /// It answers every change with an error of its own.
    Broken,
}

#[derive(Default)]
struct Objects {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, (String, HeaderMap, BTreeMap<u32, Bytes>)>,
    changes: u64,
    wrong: Vec<String>,
    hold: Option<(u64, Moment)>,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    tag: String,
    metadata: HeaderMap,
}

struct Served {
    quirk: Quirk,
    objects: Mutex<Objects>,
    held: Mutex<Sender<()>>,
}

/// A running bucket called `bucket`; dropping it stops it.
pub(crate) struct Bucket {
    address: String,
    served: Arc<Served>,
    held: Receiver<()>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bucket {
    pub(crate) fn start(quirk: Quirk) -> Self {
        let (sender, held) = channel();
        let served = Arc::new(Served {
            quirk,
            objects: Mutex::default(),
            held: Mutex::new(sender),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&served));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("a server"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            served,
            held,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// What in the environment leads to it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let credentials = CREDENTIALS.map(|(name, value)| (name, value.to_owned()));
        let place = [
            ("AWS_ENDPOINT_URL", self.address.clone()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        credentials.into_iter().chain(place).collect()
    }

    /// Changes so far.
    pub(crate) fn changes(&self) -> u64 {
        self.objects(|objects| objects.changes)
    }

    /// Has the answer to the change of that number not come.
    pub(crate) fn hold(&self, change: u64, moment: Moment) {
        self.objects(|objects| objects.hold = Some((change, moment)));
    }

    /// Forgets what was to be held back.
    pub(crate) fn release(&self) {
        self.objects(|objects| objects.hold = None);
    }

    /// Whether an answer is held back by now.
    pub(crate) fn is_held(&self) -> bool {
        self.held.try_recv().is_ok()
    }

    /// What readers could have seen that is not whole.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.objects(|objects| objects.wrong.clone())
    }

    /// The names of its objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects(|objects| objects.objects.keys().cloned().collect())
    }

    /// The text of an object.
    pub(crate) fn text(&self, name: &str) -> String {
        let bytes = self.objects(|objects| objects.objects[name].bytes.to_vec());
        String::from_utf8(bytes).expect("text")
    }

    /// Uploads that were begun, and neither finished nor given up.
    pub(crate) fn open_uploads(&self) -> usize {
        self.objects(|objects| objects.uploads.len())
    }

    /// Writes all objects into a folder.
    pub(crate) fn download(&self, folder: &std::path::Path) {
        for (name, object) in self.objects(|objects| objects.objects.clone()) {
            let path = folder.join(name);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs_err::write(path, object.bytes).expect("a file");
        }
    }

    fn objects<T>(&self, look: impl FnOnce(&mut Objects) -> T) -> T {
        look(&mut self.served.objects.lock().expect("objects"))
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Parameters = BTreeMap<String, String>;

async fn serve(
    State(served): State<Arc<Served>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default().as_bytes();
    let parameters = url::form_urlencoded::parse(query).into_owned().collect();
    let is_known = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("Credential=AKIATESTKEY/"));
    if !is_known || served.quirk == Quirk::Denying {
        return refusal(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let Some(name) = uri
        .path()
        .strip_prefix("/bucket")
        .filter(|_| served.quirk != Quirk::Missing)
    else {
        return refusal(StatusCode::NOT_FOUND, "NoSuchBucket");
    };
    let name = name.trim_start_matches('/').replace("%3D", "=");
    if served.quirk == Quirk::Unconditional {
        headers.remove("if-none-match");
    }
    let request = Request {
        method,
        name,
        parameters,
        headers,
        body,
    };
    if request.method == Method::GET || request.method == Method::HEAD {
        return request.read(&served.objects.lock().expect("objects"));
    }
    if served.quirk == Quirk::Broken {
        return refusal(
            StatusCode::BAD_REQUEST,
            "InvalidToken</Code><AWSAccessKeyId>AKIATESTKEY</AWSAccessKeyId>",
        );
    }
    let hold = {
        let mut objects = served.objects.lock().expect("objects");
        objects.changes += 1;
        let change = objects.changes;
        objects
            .hold
            .filter(|(held, _)| *held == change)
            .map(|(_, moment)| moment)
    };
    if hold == Some(Moment::Before) {
        return served.keep_waiting().await;
    }
    let answer = {
        let mut objects = served.objects.lock().expect("objects");
        let answer = request.change(&mut objects);
        let wrong = objects.look();
        objects.wrong.extend(wrong);
        answer
    };
    if hold == Some(Moment::After) {
        return served.keep_waiting().await;
    }
    answer
}

impl Served {
    /// Tells that an answer is held back, and does not give it.
    async fn keep_waiting(&self) -> Response {
        self.held.lock().expect("a sender").send(()).expect("a test");
        std::future::pending().await
    }
}

struct Request {
    method: Method,
    name: String,
    parameters: Parameters,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn read(&self, objects: &Objects) -> Response {
        if self.name.is_empty() {
            return self.list(objects);
        }
        let Some(object) = objects.objects.get(&self.name) else {
            return refusal(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        let mut headers = object.metadata.clone();
        headers.insert("etag", object.tag.parse().expect("a tag"));
        headers.insert(
            "last-modified",
            "Sun, 22 Nov 2026 03:15:00 GMT".parse().expect("a date"),
        );
        headers.insert("content-length", object.bytes.len().into());
        (headers, object.bytes.clone()).into_response()
    }

    /// All of it in pages of two, so that going on is tried as well.
    fn list(&self, objects: &Objects) -> Response {
        let parameter = |name: &str| self.parameters.get(name).map_or("", String::as_str);
        let (prefix, delimiter, after) = (
            parameter("prefix"),
            parameter("delimiter"),
            parameter("continuation-token"),
        );
        let mut entries: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for (name, object) in objects.objects.range(prefix.to_owned()..) {
            let Some(rest) = name.strip_prefix(prefix) else { break };
            match rest.find('/').filter(|_| delimiter == "/") {
                Some(end) => entries.insert(format!("{prefix}{}", &rest[..=end]), None),
                None => entries.insert(name.clone(), Some(object.bytes.len())),
            };
        }
        let mut left = entries.into_iter().filter(|(name, _)| name.as_str() > after);
        let page: Vec<_> = left.by_ref().take(2).collect();
        let mut text = "<ListBucketResult>".to_owned();
        for (name, size) in &page {
            let _ = match size {
                Some(size) => write!(
                    text,
                    "<Contents><Key>{name}</Key><LastModified>2026-11-22T03:15:00.000Z</LastModified><Size>{size}</Size></Contents>"
                ),
                None => write!(text, "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
            };
        }
        if let (Some(_), Some((last, _))) = (left.next(), page.last()) {
            let _ = write!(text, "<NextContinuationToken>{last}</NextContinuationToken>");
        }
        text.push_str("</ListBucketResult>");
        text.into_response()
    }

    fn change(&self, objects: &mut Objects) -> Response {
        let upload = self.parameters.get("uploadId");
        match (self.method.as_str(), upload) {
            ("PUT", None) => self.put(objects),
            ("PUT", Some(upload)) => {
                let number = self.parameters["partNumber"].parse().expect("a number");
                let (_, _, parts) = objects.uploads.get_mut(upload).expect("an upload");
                parts.insert(number, self.body.clone());
                ([("etag", tag(&self.body))], "").into_response()
            }
            ("POST", Some(upload)) => {
                let (name, metadata, parts) = objects.uploads.remove(upload).expect("an upload");
                let bytes: Vec<u8> = parts.into_values().flatten().collect();
                let tag = objects.store(name, bytes.into(), metadata);
                format!("<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>")
                    .into_response()
            }
            ("POST", None) if self.parameters.contains_key("uploads") => {
                let id = format!("upload{}", objects.changes);
                let upload = (self.name.clone(), self.metadata(), BTreeMap::new());
                objects.uploads.insert(id.clone(), upload);
                format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>")
                    .into_response()
            }
            ("POST", None) => self.delete_many(objects),
            ("DELETE", Some(upload)) => {
                objects.uploads.remove(upload);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn put(&self, objects: &mut Objects) -> Response {
        let present = objects.objects.get(&self.name).map(|object| object.tag.clone());
        let is_allowed = match (self.header("if-none-match"), self.header("if-match")) {
            (Some(_), _) => present.is_none(),
            (None, Some(tag)) => present.as_deref() == Some(tag),
            (None, None) => true,
        };
        if !is_allowed {
            return refusal(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let tag = objects.store(self.name.clone(), self.body.clone(), self.metadata());
        ([("etag", tag)], "").into_response()
    }

    fn metadata(&self) -> HeaderMap {
        let own = self.headers.iter();
        own.filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn delete_many(&self, objects: &mut Objects) -> Response {
        let body = String::from_utf8(self.body.to_vec()).expect("text");
        let mut text = "<DeleteResult>".to_owned();
        for found in Regex::new("<Key>([^<]*)</Key>")
            .expect("a pattern")
            .captures_iter(&body)
        {
            objects.objects.remove(&found[1]);
            let _ = write!(text, "<Deleted><Key>{}</Key></Deleted>", &found[1]);
        }
        text.push_str("</DeleteResult>");
        text.into_response()
    }
}

impl Objects {
    fn store(&mut self, name: String, bytes: Bytes, metadata: HeaderMap) -> String {
        let tag = tag(&bytes);
        let object = Object {
            bytes,
            tag: tag.clone(),
            metadata,
        };
        self.objects.insert(name, object);
        tag
    }

    /// What a reader would find wrong by now: a manifest without all of its parts, a `latest` without its run.
    fn look(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, object) in &self.objects {
            let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
            match file {
                "_manifest.json" => wrong.extend(self.look_at_run(folder, &object.bytes)),
                "latest" => {
                    let run = String::from_utf8_lossy(&object.bytes);
                    let own = format!("{folder}/{run}/");
                    if !self.objects.keys().any(|name| name.starts_with(&own)) {
                        wrong.push(format!("{name} leads to {run}, which is not there"));
                    }
                }
                _ => {}
            }
        }
        wrong
    }

    fn look_at_run(&self, folder: &str, manifest: &[u8]) -> Option<String> {
        let Ok(manifest) = serde_json::from_slice::<Value>(manifest) else {
            return Some(format!("{folder} has half a manifest"));
        };
        let source = folder.rsplitn(3, '/').last().unwrap_or_default();
        let tables = manifest["tables"].as_array().expect("tables");
        let parts = tables.iter().flat_map(|table| {
            let parts = [&table["parts"], &table["reject_parts"]];
            parts.into_iter().flat_map(|parts| parts.as_array().expect("parts"))
        });
        for part in parts {
            let path = part["path"].as_str().expect("a path");
            let name = match path.strip_prefix("../../") {
                Some(beside) => format!("{source}/{beside}"),
                None => format!("{folder}/{path}"),
            };
            let sum = self.objects.get(&name).map(|object| sum(&object.bytes));
            if sum.as_deref() != part["sha256"].as_str() {
                return Some(format!("{folder} names {name}, which is another or not there"));
            }
        }
        None
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &sum(bytes)[..32])
}

fn refusal(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}
