//! Where runs of one user note which requests they sent, so that those of one API keep to its budget together.

use std::ffi::OsString;
use std::path::PathBuf;

use url::Url;

use crate::plan::hash_of;
use crate::project::{RequestLimit, TokenOrigin};
use crate::run::SharedBudget;

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

/// What the budget of an API is called: budgets are by host and by user, and by token where no window is shared by all
/// tokens. Whose token it is shows in where it is found; itself it is no part of any name, as some are new each time.
pub(super) fn shared_budget(url: &Url, windows: &[RequestLimit], token: Option<&TokenOrigin>) -> SharedBudget {
    let host = url.origin().ascii_serialization();
    let is_for_all = windows.iter().any(|limit| limit.counted_by.is_for_all_tokens());
    let token = token_name(token);
    let own = if is_for_all { "" } else { &token };
    let digits = hash_of(format!("{host}\n{own}"));
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let host: String = url.host_str().unwrap_or_default().chars().filter(is_plain).collect();
    SharedBudget {
        name: format!("{host}-{digits}"),
        token: hash_of(&token),
    }
}

/// Where a token is found, in one text.
fn token_name(token: Option<&TokenOrigin>) -> String {
    match token {
        None => String::new(),
        Some(TokenOrigin::Env(name)) => format!("env {name}"),
        Some(TokenOrigin::File(path)) => format!(
            "file {}",
            path.canonicalize().unwrap_or_else(|_| path.clone()).display()
        ),
        Some(TokenOrigin::Command(words)) => format!("command {}", words.join("\0")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::project::CountedBy;

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

    fn window(counted_by: CountedBy) -> RequestLimit {
        RequestLimit {
            max: 3,
            per: Duration::from_secs(1),
            margin: Duration::ZERO,
            counted_by,
        }
    }

    #[test]
    fn a_budget_is_one_hosts_and_one_tokens_unless_all_tokens_share_a_window() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        let env = |name: &str| TokenOrigin::Env(name.to_owned());
        let api = url("https://api.example.com/graphql");
        let by_token = |url: &Url, token: Option<&TokenOrigin>| shared_budget(url, &[window(CountedBy::Token)], token);
        let budgets = [
            by_token(&api, None),
            by_token(&api, Some(&env("ONE"))),
            by_token(&api, Some(&env("OTHER"))),
            by_token(&url("https://api.example.com:8443/graphql"), Some(&env("ONE"))),
        ];
        let names = budgets.clone().map(|budget| budget.name);
        for (index, name) in names.iter().enumerate() {
            assert!(
                name.starts_with("api.example.com-") && !names[..index].contains(name),
                "{names:?}"
            );
        }
        let space = url("https://api.example.com/spaces/two");
        assert_eq!(budgets[1], by_token(&space, Some(&env("ONE"))));
        for counted_by in [CountedBy::Address, CountedBy::Host] {
            let windows = [window(CountedBy::Token), window(counted_by)];
            let for_all = [None, Some(env("ONE")), Some(env("OTHER"))]
                .map(|token| shared_budget(&space, &windows, token.as_ref()));
            assert!(for_all.iter().all(|budget| budget.name == names[0]), "{for_all:?}");
            let tokens = [0, 1, 2].map(|index| (&for_all[index].token, &budgets[index].token));
            assert!(tokens.iter().all(|(one, other)| one == other), "{tokens:?}");
            assert!(for_all[1].token != for_all[2].token, "whose request it is shows");
        }
        assert!(!by_token(&url("http://[::1]:80/"), None).name.contains(':'));
    }
}
