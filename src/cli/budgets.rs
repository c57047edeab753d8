//! Where runs of one user note which requests they sent, so that those of one API keep to its budget together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use url::Url;

use crate::cli::token_salt::TokenSalt;
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
/// tokens.
pub(super) fn shared_budget(url: &Url, windows: &[RequestLimit], token: &str) -> SharedBudget {
    let host = url.origin().ascii_serialization();
    let is_for_all = windows.iter().any(|limit| limit.counted_by.is_for_all_tokens());
    let own = if is_for_all { "" } else { token };
    let digits = hash_of(format!("{host}\n{own}"));
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
    let host: String = url.host_str().unwrap_or_default().chars().filter(is_plain).collect();
    SharedBudget {
        name: format!("{host}-{digits}"),
        token: hash_of(token),
    }
}

/// What tells a token from others: its value, mixed with what is kept in this folder, wherever it is read from. One that a
/// program prints is told by that program, since it may be new each time, and so is one that is not there.
pub(super) fn token_name(token: Option<&TokenOrigin>, folder: &Path) -> String {
    let marked = || {
        let origin = token.filter(|origin| !matches!(origin, TokenOrigin::Command(_)))?;
        let value = origin.read(&|| false).ok()?;
        let salt = TokenSalt::kept_in(folder).ok()?;
        Some(format!("token {}", salt.mark(&value)))
    };
    marked().unwrap_or_else(|| place_name(token))
}

/// Where a token is found, in one text.
fn place_name(token: Option<&TokenOrigin>) -> String {
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
        let name = place_name;
        let by_token =
            |url: &Url, token: Option<&TokenOrigin>| shared_budget(url, &[window(CountedBy::Token)], &name(token));
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
                .map(|token| shared_budget(&space, &windows, &name(token.as_ref())));
            assert!(for_all.iter().all(|budget| budget.name == names[0]), "{for_all:?}");
            let tokens = [0, 1, 2].map(|index| (&for_all[index].token, &budgets[index].token));
            assert!(tokens.iter().all(|(one, other)| one == other), "{tokens:?}");
            assert!(for_all[1].token != for_all[2].token, "whose request it is shows");
        }
        assert!(!by_token(&url("http://[::1]:80/"), None).name.contains(':'));
    }

    #[test]
    fn a_token_is_the_same_one_wherever_it_is_read_from() {
        let folder = tempfile::tempdir().unwrap();
        let budgets = folder.path().join("budgets");
        let file = |name: &str, token: &str| {
            let path = folder.path().join(name);
            fs_err::write(&path, format!("{token}\n")).unwrap();
            TokenOrigin::File(path)
        };
        let (one, again, other) = (file("a", "s3cret"), file("b", "s3cret"), file("c", "0ther"));
        let name = |origin: &TokenOrigin| token_name(Some(origin), &budgets);
        assert_eq!(name(&one), name(&again));
        assert_ne!(name(&one), name(&other));
        assert_ne!(name(&one), format!("token {}", hash_of("s3cret")));
        let missing = TokenOrigin::File(folder.path().join("d"));
        assert_eq!(name(&missing), place_name(Some(&missing)));
        let told = TokenOrigin::Command(vec!["cat".to_owned(), folder.path().join("a").display().to_string()]);
        assert_eq!(name(&told), place_name(Some(&told)), "no program is run for it");
        let kept = fs_err::read_dir(&budgets)
            .unwrap()
            .map(|entry| fs_err::read(entry.unwrap().path()).unwrap());
        for kept in kept {
            let kept = String::from_utf8(kept).unwrap();
            assert!(!kept.contains("s3cret") && !kept.contains(&hash_of("s3cret")), "{kept}");
        }
    }
}
