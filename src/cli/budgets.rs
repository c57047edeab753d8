//! Where runs of one user note which requests they sent, so that those of one API keep to its budget together.

use std::ffi::OsString;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::project::{CountedBy, TokenOrigin};

/// The user's own folder for what outlives a process; none where the environment names no home.
pub(super) fn budgets_folder() -> Option<PathBuf> {
    folder_in(|name| std::env::var_os(name))
}

fn folder_in(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("gqldump/budgets"))
}

/// What the budget of an API is called: budgets are by host and by user, and whose token it is shows in where it is found,
/// where that makes a difference. The token itself is no part of it, as some are new each time.
pub(super) fn budget_name(url: &Url, counted_by: CountedBy, token: Option<&TokenOrigin>) -> String {
    let host = url.origin().ascii_serialization();
    let origin = match token.filter(|_| counted_by == CountedBy::Token) {
        None => String::new(),
        Some(TokenOrigin::Env(name)) => format!("env {name}"),
        Some(TokenOrigin::File(path)) => format!(
            "file {}",
            path.canonicalize().unwrap_or_else(|_| path.clone()).display()
        ),
        Some(TokenOrigin::Command(words)) => format!("command {}", words.join("\0")),
    };
    let digest = Sha256::digest(format!("{host}\n{origin}"));
    let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let host: String = url.host_str().unwrap_or_default().chars().filter(is_plain).collect();
    format!("{host}-{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_the_environment_says() {
        let folder = |variables: &[(&str, &str)]| {
            let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
            folder_in(|name| found(name).map(|(_, value)| OsString::from(value)))
        };
        assert_eq!(folder(&[]), None);
        assert_eq!(
            folder(&[("HOME", "")]),
            None,
            "no folder of whatever is the current one"
        );
        let home = ("HOME", "/home/ada");
        assert_eq!(folder(&[home]), Some("/home/ada/.local/state/gqldump/budgets".into()));
        let state = ("XDG_STATE_HOME", "/var/state");
        assert_eq!(folder(&[home, state]), Some("/var/state/gqldump/budgets".into()));
    }

    #[test]
    fn a_budget_is_one_hosts_and_one_tokens_unless_it_is_counted_by_address() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let env = |name: &str| TokenOrigin::Env(name.to_owned());
        let api = url("https://api.example.com/graphql");
        let by_token = |url: &Url, token: Option<&TokenOrigin>| budget_name(url, CountedBy::Token, token);
        let names = [
            by_token(&api, None),
            by_token(&api, Some(&env("ONE"))),
            by_token(&api, Some(&env("OTHER"))),
            by_token(&url("https://api.example.com:8443/graphql"), Some(&env("ONE"))),
        ];
        for (index, name) in names.iter().enumerate() {
            assert!(
                name.starts_with("api.example.com-") && !names[..index].contains(name),
                "{names:?}"
            );
        }
        let space = url("https://api.example.com/spaces/two");
        assert_eq!(names[1], by_token(&space, Some(&env("ONE"))));
        let by_address = [None, Some(env("ONE")), Some(env("OTHER"))]
            .map(|token| budget_name(&space, CountedBy::Address, token.as_ref()));
        assert!(by_address.iter().all(|name| *name == names[0]), "{by_address:?}");
        assert!(!by_token(&url("http://[::1]:80/"), None).contains(':'));
    }
}
