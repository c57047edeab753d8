//! `gqldump token`, against stand-ins for the calls of each API: what is sent, what is written, and what is told to nobody.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fs_err as fs;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::program::{Ended, gqldump, run};
use crate::project::TOKEN_VARIABLE;

/// The token that the stand-ins take.
const TOKEN: &str = "t0ken-of-ada";

/// The secret that they make.
const SECRET: &str = "s3cret-that-was-made";

/// A request: how and where, its authorization, its body.
type Call = (String, String, String);

type Answers = dyn Fn(&str, &Value) -> (u16, String) + Send + Sync;

struct Served {
    answers: Box<Answers>,
    calls: Mutex<Vec<Call>>,
}

/// An API whose tokens are dealt with, and a source for it.
struct Desk {
    address: String,
    served: Arc<Served>,
    folder: TempDir,
    _stop: oneshot::Sender<()>,
}

impl Desk {
    /// `answers` is given the method with the path, and the body.
    fn open(preset: &str, answers: impl Fn(&str, &Value) -> (u16, String) + Send + Sync + 'static) -> Self {
        let served = Arc::new(Served {
            answers: Box::new(answers),
            calls: Mutex::default(),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&served));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("a server"),
                    _ = stopped => {}
                }
            });
        });
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("queries/api");
        fs::create_dir_all(&source).expect("a folder");
        let settings = format!(
            "preset = '{preset}'\nendpoint = '{address}/api'\n[auth]\ntoken = {{ env = '{TOKEN_VARIABLE}' }}\n"
        );
        fs::write(source.join("source.toml"), settings).expect("a file");
        Self {
            address,
            served,
            folder,
            _stop: stop,
        }
    }

    fn token(&self, arguments: &[&str]) -> Ended {
        self.token_as(TOKEN, arguments)
    }

    fn token_as(&self, token: &str, arguments: &[&str]) -> Ended {
        let mut command = gqldump();
        command
            .current_dir(self.folder.path())
            .arg("token")
            .args(arguments)
            .env(TOKEN_VARIABLE, token);
        let ended = run(&mut command);
        assert!(
            !ended.stderr.contains(SECRET) && !ended.stderr.contains(token),
            "{}",
            ended.stderr
        );
        assert!(!ended.stdout.contains(token), "{}", ended.stdout);
        ended
    }

    fn calls(&self) -> Vec<Call> {
        self.served.calls.lock().expect("calls").clone()
    }

    /// How often something was called that holds this text.
    fn count(&self, part: &str) -> usize {
        self.calls()
            .iter()
            .filter(|(place, _, body)| place.contains(part) || body.contains(part))
            .count()
    }
}

async fn answer(
    State(served): State<Arc<Served>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let place = format!("{method} {}", uri.path());
    let text = String::from_utf8(body.to_vec()).expect("text");
    // A body that is announced and empty is refused by some servers.
    assert_eq!(headers.contains_key("content-type"), !text.is_empty(), "{place}");
    let authorization = headers["authorization"].to_str().expect("text").to_owned();
    let (status, answer) = (served.answers)(&place, &serde_json::from_str(&text).unwrap_or_default());
    served.calls.lock().expect("calls").push((place, authorization, text));
    (StatusCode::from_u16(status).expect("a status"), answer)
}

/// Fibery's three calls, of a user with so many tokens.
fn fibery(tokens: usize) -> Desk {
    Desk::open("fibery", move |place, _| match place {
        "GET /api/tokens" => {
            let item = |number: usize| json!({ "id": format!("id-{number}"), "name": null, "value": "never shown" });
            (200, Value::from((0..tokens).map(item).collect::<Vec<_>>()).to_string())
        }
        "POST /api/tokens" => (200, json!({ "id": "id-9", "value": SECRET }).to_string()),
        "DELETE /api/tokens/id%2F1" => (204, String::new()),
        _ => (404, "Not Found".to_owned()),
    })
}

/// Fluid Attacks', likewise.
fn fluidattacks(tokens: usize) -> Desk {
    earlier_fluidattacks("fluidattacks", tokens)
}

/// The same under one of its names.
fn earlier_fluidattacks(preset: &str, tokens: usize) -> Desk {
    Desk::open(preset, move |_, request| {
        let query = request["query"].as_str().unwrap_or_default();
        let made = json!({ "sessionJwt": SECRET, "success": true });
        let data = if query.contains("addAccessToken") {
            json!({ "addAccessToken": made })
        } else if query.contains("updateAccessToken") {
            json!({ "updateAccessToken": made })
        } else if query.contains("invalidateAccessToken") {
            json!({ "invalidateAccessToken": { "success": request["variables"]["id"] == "one" } })
        } else if query.contains("accessTokens") {
            let item = json!({ "id": "one", "name": "nightly", "issuedAt": 1_700_000_000, "lastUse": null });
            json!({ "me": { "accessTokens": vec![item; tokens] } })
        } else {
            json!({ "me": { "userEmail": "ada@example.com", "sessionExpiration": "2027-01-01 00:00:00" } })
        };
        (200, json!({ "data": data }).to_string())
    })
}

#[test]
fn a_token_is_written_to_a_file_that_only_its_owner_reads() {
    let desk = fibery(2);
    let ended = desk.token(&["create", "queries/api", "--to", "token.txt"]).with_code(0);
    assert_eq!(ended.stdout, "");
    let file = desk.folder.path().join("token.txt");
    assert_eq!(fs::read_to_string(&file).expect("a token"), format!("{SECRET}\n"));
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let expected = [
        ("GET /api/tokens", format!("Token {TOKEN}"), ""),
        ("POST /api/tokens", format!("Token {TOKEN}"), ""),
    ];
    let expected = expected.map(|(place, authorization, body)| (place.to_owned(), authorization, body.to_owned()));
    assert_eq!(desk.calls(), expected);

    let ended = desk.token(&["create", "queries/api", "--to", "token.txt"]).with_code(2);
    assert!(ended.stderr.contains("is there already"), "{}", ended.stderr);
    assert_eq!(desk.count("POST /api/tokens"), 1, "nothing was made");
    desk.token(&["create", "queries/api", "--to", "token.txt", "--force"])
        .with_code(0);
}

#[test]
fn a_pipe_gets_the_token_and_nothing_else() {
    let desk = fluidattacks(1);
    let ended = desk
        .token(&["create", "--expires", "180d", "--name=nightly"])
        .with_code(0);
    assert_eq!(
        (ended.stdout.as_str(), ended.stderr.as_str()),
        (&*format!("{SECRET}\n"), "")
    );
    let (_, _, body) = desk.calls().pop().expect("a call");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["variables"]["name"], "nightly");
    let expires = body["variables"]["expires"].as_u64().expect("seconds");
    let in_days = (expires - jiff::Timestamp::now().as_second().unsigned_abs()) / (24 * 3600);
    assert!((179..=180).contains(&in_days), "{in_days}");
}

#[test]
fn the_earlier_names_of_an_api_make_tokens_as_their_pages_say() {
    for preset in ["asm", "arm"] {
        let desk = earlier_fluidattacks(preset, 2);
        let ended = desk.token(&["create", "--expires=180d", "--replace"]).with_code(0);
        assert_eq!(ended.stdout, format!("{SECRET}\n"), "{preset}");
        let calls = desk.calls();
        let [(_, authorization, body)] = calls.as_slice() else {
            panic!("{preset}: {calls:?}")
        };
        assert_eq!(*authorization, format!("Bearer {TOKEN}"));
        let body: Value = serde_json::from_str(body).expect("JSON");
        let query = body["query"].as_str().expect("a query");
        assert!(query.contains("updateAccessToken(expirationTime: $expires)"), "{query}");
        assert!(body["variables"]["expires"].is_u64(), "{body}");
        let beside = desk.token(&["create", "--expires=180d"]).with_code(2);
        assert!(
            beside.stderr.contains("ends all others of its user: write `--replace`"),
            "{}",
            beside.stderr
        );
        let unknown = desk.token(&["list"]).with_code(2);
        assert!(
            unknown.stderr.contains("does not know how this API lists its tokens"),
            "{}",
            unknown.stderr
        );
        assert_eq!(desk.calls().len(), 1, "{preset}: nothing of later days is sent");
    }
}

#[test]
fn a_token_that_is_refused_with_a_status_of_success_is_told_as_such() {
    let refusal = json!({ "data": { "me": null }, "errors": [{ "message": "Login required" }] }).to_string();
    let desk = Desk::open("fluidattacks", move |_, _| (200, refusal.clone()));
    for arguments in [&["status"][..], &["list"], &["create", "--expires=30d"]] {
        let ended = desk.token(arguments).with_code(4);
        assert!(ended.stderr.contains("Login required"), "{}", ended.stderr);
    }
    assert_eq!(desk.count("addAccessToken"), 0);
}

#[test]
fn a_token_that_is_not_there_is_no_token() {
    let desk = fibery(1);
    let mut command = gqldump();
    command
        .current_dir(desk.folder.path())
        .args(["token", "status"])
        .env_remove(TOKEN_VARIABLE);
    let ended = run(&mut command).with_code(4);
    assert!(
        ended.stderr.contains("there is no token: ") && ended.stdout.is_empty(),
        "{}",
        ended.stderr
    );
    assert_eq!(desk.calls().len(), 0);
}

#[test]
fn limits_are_kept_before_anything_is_made() {
    let desk = fluidattacks(2);
    let full = desk.token(&["create", "--expires=30d"]).with_code(2);
    assert!(
        full.stderr.contains("there are 2 tokens") && full.stderr.contains("`--replace`"),
        "{}",
        full.stderr
    );
    for (arguments, said) in [
        (&["create", "--expires=182d"][..], "end in less than 182 days"),
        (&["create"], "write `--expires 180d`"),
    ] {
        let ended = desk.token(arguments).with_code(2);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    assert_eq!(desk.count("addAccessToken"), 0);
    let replaced = desk.token(&["create", "--expires=30d", "--replace"]).with_code(0);
    assert_eq!(replaced.stderr, "warning: all other tokens of this user end now\n");
    assert_eq!(desk.count("updateAccessToken"), 1);

    let full = fibery(3).token(&["create"]).with_code(2);
    assert!(
        full.stderr.contains("there are 3 tokens") && !full.stderr.contains("--replace"),
        "{}",
        full.stderr
    );
    let endless = fibery(0).token(&["create", "--expires=30d"]).with_code(2);
    assert!(
        endless.stderr.contains("do not end by themselves"),
        "{}",
        endless.stderr
    );
}

#[test]
fn tokens_are_listed_without_their_secrets_and_revoked() {
    let desk = fibery(2);
    let listed = desk.token(&["list"]).with_code(0);
    assert_eq!(listed.stdout, "id\tname\nid-0\t-\nid-1\t-\n");
    desk.token(&["revoke", "id/1"]).with_code(0);
    let gone = desk.token(&["revoke", "other"]).with_code(1);
    assert!(gone.stderr.contains("status 404: Not Found"), "{}", gone.stderr);
    // What would be another address of the API is no id.
    let calls = desk.calls().len();
    for id in ["", " ", ".", ".."] {
        desk.token(&["revoke", id]).with_code(2);
    }
    assert_eq!(desk.calls().len(), calls);

    let desk = fluidattacks(1);
    let listed = desk.token(&["list"]).with_code(0);
    assert_eq!(
        listed.stdout,
        "id\tname\tissuedAt\tlastUse\none\tnightly\t2023-11-14T22:13:20Z\t-\n"
    );
    desk.token(&["revoke", "one"]).with_code(0);
    desk.token(&["revoke", "other"]).with_code(1);
}

#[test]
fn status_tells_whose_a_token_is_and_until_when() {
    let with_end = |end: i64| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json!({ "exp": end }).to_string()));
    let now = jiff::Timestamp::now().as_second();
    let desk = fluidattacks(1);
    let good = desk
        .token_as(&with_end(now + 100 * 24 * 3600), &["status"])
        .with_code(0);
    assert!(good.stdout.contains("api: the token ends at 20"), "{}", good.stdout);
    assert!(
        good.stdout
            .contains("api: accepted, of ada@example.com; the API says: sessionExpiration 2027-01-01 00:00:00\n"),
        "{}",
        good.stdout
    );
    desk.token_as(&with_end(now + 5 * 24 * 3600), &["status"]).with_code(6);

    let unnamed = fibery(2).token(&["status"]).with_code(0);
    assert_eq!(
        unnamed.stdout,
        "api: the token does not say when it ends\napi: accepted; its owner has 2 tokens\n"
    );
    let refused = Desk::open("fibery", |_, _| (401, "Unauthorized".to_owned()));
    let refused = refused.token(&["status"]).with_code(4);
    assert!(
        refused.stderr.contains("status 401: Unauthorized"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_call_that_fails_is_not_made_again_and_leaves_no_file() {
    for (status, body, said) in [
        (500, "<html>crash</html>".to_owned(), "status 500"),
        (
            200,
            json!({ "errors": [{ "message": "Exception - Invalid Expiration Time" }] }).to_string(),
            "Invalid Expiration Time",
        ),
        (
            200,
            json!({ "data": { "addAccessToken": { "success": false, "sessionJwt": null } } }).to_string(),
            "the API refused it and does not say why: `data.addAccessToken.success` is false",
        ),
        (200, format!("not JSON: {SECRET}"), "no `data.addAccessToken.success`"),
    ] {
        let desk = Desk::open("fluidattacks", move |_, request| match request["query"].as_str() {
            Some(query) if query.contains("addAccessToken") => (status, body.clone()),
            _ => (200, json!({ "data": { "me": { "accessTokens": [] } } }).to_string()),
        });
        let ended = desk.token(&["create", "--expires=30d", "--to=token.txt"]).with_code(1);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert_eq!(desk.count("addAccessToken"), 1, "{}", desk.address);
        let left = fs::read_dir(desk.folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "only queries/ is left");
    }
}

/// Fluid Attacks' with one token, which answers this to a call for another.
fn making(status: u16, answer: Value) -> Desk {
    Desk::open("fluidattacks", move |_, request| match request["query"].as_str() {
        Some(query) if query.contains("addAccessToken") => (status, answer.to_string()),
        _ => (200, json!({ "data": { "me": { "accessTokens": [] } } }).to_string()),
    })
}

#[test]
fn a_token_that_comes_with_errors_was_made_and_is_written() {
    let made = json!({ "sessionJwt": SECRET, "success": true });
    let message = format!("\u{1b}[2JMail to ada\nfailed: {SECRET}, {TOKEN}");
    let answer = json!({ "data": { "addAccessToken": made }, "errors": [{ "message": message }] });
    for status in [200, 500] {
        let desk = making(status, answer.clone());
        let ended = desk.token(&["create", "--expires=30d"]).with_code(0);
        assert_eq!(ended.stdout, format!("{SECRET}\n"));
        let warning = "warning: the token was made, and the API says: [2JMail to ada failed: [token], [token]\n";
        assert_eq!(ended.stderr, warning);
    }
    let refused = json!({ "data": { "addAccessToken": { "sessionJwt": SECRET, "success": false } } });
    let ended = making(200, refused).token(&["create", "--expires=30d"]).with_code(0);
    assert_eq!(ended.stdout, format!("{SECRET}\n"));
    let warning = "warning: the token was made, and the API says: `data.addAccessToken.success` is false\n";
    assert_eq!(ended.stderr, warning);
    let unmade = json!({ "data": null, "errors": [{ "message": format!("\u{1b}[2Jno\nmore for {TOKEN}") }] });
    let ended = making(200, unmade).token(&["create", "--expires=30d"]).with_code(1);
    assert!(
        ended.stdout.is_empty() && !ended.stderr.contains('\u{1b}'),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_token_that_cannot_be_written_is_said_to_be_there() {
    let desk = fluidattacks(1);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device");
    let (reader, closed) = std::io::pipe().expect("a pipe");
    drop(reader);
    for (output, words) in [
        (
            std::process::Stdio::from(full.into_parts().0),
            "No space left on device",
        ),
        (std::process::Stdio::from(closed), "Broken pipe"),
    ] {
        let mut command = gqldump();
        let command = command
            .current_dir(desk.folder.path())
            .args(["token", "create", "--expires=30d"])
            .env(TOKEN_VARIABLE, TOKEN)
            .stdout(output);
        let ended = command.output().expect("a program");
        let told = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(ended.status.code(), Some(1), "{told}");
        for part in ["the token was made, stays good", "gqldump token revoke ID", words] {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains(SECRET), "{told}");
    }
    assert_eq!(desk.count("addAccessToken"), 2);
}

#[test]
fn what_the_api_would_refuse_is_refused_before_anything_is_made() {
    let desk = fluidattacks(1);
    for name in ["", "of twenty-one letters"] {
        let ended = desk
            .token(&["create", "--expires=30d", &format!("--name={name}")])
            .with_code(2);
        assert!(ended.stderr.contains("has 1 to 20 characters"), "{}", ended.stderr);
    }
    let device = desk
        .token(&["create", "--expires=30d", "--force", "--to=/dev/full"])
        .with_code(2);
    assert!(device.stderr.contains("`/dev/full` is no file"), "{}", device.stderr);
    // The call that replaces takes no name, whatever its length.
    let named = desk
        .token(&["create", "--expires=30d", "--replace", "--name=of twenty-one letters"])
        .with_code(2);
    assert!(named.stderr.contains("leave out `--name`"), "{}", named.stderr);
    assert_eq!(desk.calls().len(), 0);
    desk.token(&["create", "--expires=30d", "--replace"]).with_code(0);
}

#[test]
fn what_is_done_by_hand_is_said_to_be() {
    let desk = Desk::open("conviso", |_, _| (500, String::new()));
    let ended = desk.token(&["create"]).with_code(2);
    assert!(ended.stderr.contains("on its web page alone"), "{}", ended.stderr);
    let unknown = Desk::open("github", |_, _| (500, String::new()));
    let ended = unknown.token(&["list"]).with_code(2);
    assert!(ended.stderr.contains("say how under [tokens]"), "{}", ended.stderr);
    assert_eq!(desk.calls().len() + unknown.calls().len(), 0);
}
