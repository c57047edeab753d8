//! `gqldump token`: the tokens of an API, as far as it lets them be dealt with.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::cli::arguments::{
    CreateTokenArguments, RevokeTokenArguments, TokenArguments, TokenCommand, TokenSourceArguments,
};
use crate::cli::jobs::Reached;
use crate::cli::look::quiet_settings;
use crate::cli::secret_file::SecretFile;
use crate::cli::{NOT_ACCEPTED, TOKEN_ENDS};
use crate::clock::Clock;
use crate::project::{CallRequest, Source, TokenCall, TokenCalls, path_with_id};
use crate::run::{CallAnswer, CallValues, TokenCallError, call, told_end};

/// Why a token command does nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    #[error("`{0}`: gqldump does not know how this API {1}: do it on its web page, or say how under [tokens]")]
    NotKnown(String, &'static str),
    #[error("`{0}`: {1}")]
    ByHand(String, String),
    #[error("`{0}`: the one call that makes a token ends all others of its user: write `--replace` where they may end")]
    OnlyReplaces(String),
    #[error("a token is not written to a terminal: write `--to FILE`, or pipe it on")]
    Terminal,
    #[error("`{0}`: its tokens end, and the API has to be told when: write `--expires 180d`")]
    NoExpiry(String),
    #[error("`{0}`: its tokens do not end by themselves: leave out `--expires`, and revoke them")]
    Expiry(String),
    #[error("`{name}`: its tokens end in less than {} days: write a shorter `--expires`", longest.as_secs() / 86_400)]
    TooLong { name: String, longest: Duration },
    #[error("`{name}`: there are {count} tokens, and no more can be made: end one by `gqldump token revoke`{replace}")]
    TooMany {
        name: String,
        count: usize,
        replace: &'static str,
    },
    #[error("`{name}`: a token's name has 1 to {most} characters: write another `--name`")]
    Name { name: String, most: u32 },
    #[error("`{0}`: the API is not told what this token is called: leave out `--name`")]
    Unnamed(String),
    #[error("there are several sources, {0}: name the folder of one")]
    Several(String),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// The name of a token that nobody names.
const NAME: &str = "gqldump";

/// What stands for the standard output in the place of a file.
const STDOUT: &str = "-";

/// A source whose tokens are dealt with.
struct TokenSource {
    source: Arc<Source>,
    calls: TokenCalls,
}

pub(super) fn token(arguments: &TokenArguments) -> anyhow::Result<u8> {
    let done = match &arguments.command {
        TokenCommand::Status(of) => status(of),
        TokenCommand::List(of) => one(of).and_then(|source| source.list()),
        TokenCommand::Create(create) => one(&create.of).and_then(|source| source.create(create)),
        TokenCommand::Revoke(revoke) => one(&revoke.of).and_then(|source| source.revoke(revoke)),
    };
    done.or_else(|error| match error.downcast_ref::<TokenCallError>() {
        Some(refused) => tell(refused),
        None => Err(error),
    })
}

fn tell(refused: &TokenCallError) -> anyhow::Result<u8> {
    writeln!(std::io::stderr(), "error: {refused}")?;
    Ok(if refused.is_unauthorized() { NOT_ACCEPTED } else { 1 })
}

fn status(of: &TokenSourceArguments) -> anyhow::Result<u8> {
    let mut worst = 0;
    for source in sources(of)? {
        let code = match source.status() {
            Ok(code) => code,
            Err(error) => match error.downcast_ref::<TokenCallError>() {
                Some(refused) => tell(refused)?,
                None => return Err(error),
            },
        };
        // That one is not accepted, or cannot be asked, matters more than that one ends soon.
        if code != 0 && (worst == 0 || worst == TOKEN_ENDS) {
            worst = code;
        }
    }
    Ok(worst)
}

fn one(of: &TokenSourceArguments) -> anyhow::Result<TokenSource> {
    let mut found = sources(of)?;
    match (found.pop(), found.is_empty()) {
        (Some(source), true) => Ok(source),
        (last, _) => {
            let names = found.iter().chain(&last).map(|source| source.source.name.as_str());
            Err(TokenError::Several(names.collect::<Vec<_>>().join(", ")).into())
        }
    }
}

fn sources(of: &TokenSourceArguments) -> anyhow::Result<Vec<TokenSource>> {
    let sources = Source::without_queries(&of.source, &of.set)?.into_iter();
    let sources = sources.map(|source| TokenSource {
        calls: source.settings.tokens.clone(),
        source: Arc::new(source),
    });
    Ok(sources.collect())
}

impl TokenSource {
    fn status(&self) -> anyhow::Result<u8> {
        let reached = Reached::of(&self.source)?;
        let settings = quiet_settings(PathBuf::new());
        let mut output = std::io::stdout().lock();
        let name = &self.source.name;
        let end = match told_end(&reached.job, &settings) {
            Ok(end) => end,
            Err(why) => {
                let by_hand = self
                    .calls
                    .by_hand
                    .as_ref()
                    .map_or_else(String::new, |words| format!("; {words}"));
                writeln!(std::io::stderr(), "{name}: there is no token: {why}{by_hand}")?;
                return Ok(NOT_ACCEPTED);
            }
        };
        writeln!(output, "{name}: {}", end.words)?;
        if let Some(owner) = &self.calls.owner {
            let answer = self.call(owner, &CallValues::default())?;
            let shown = answer.shown(owner);
            writeln!(output, "{name}: accepted{}", owner_words(&owner.columns, &shown))?;
        } else if let Some(list) = &self.calls.list {
            let answer = self.call(list, &CallValues::default())?;
            writeln!(
                output,
                "{name}: accepted; its owner has {}",
                counted(answer.rows(list)?.len())
            )?;
        } else {
            writeln!(
                output,
                "{name}: no call is known that shows whether it is accepted: write one under [tokens.owner], or see what \
                 `gqldump run` says"
            )?;
        }
        Ok(if end.is_soon { TOKEN_ENDS } else { 0 })
    }

    fn list(&self) -> anyhow::Result<u8> {
        let list = self.known(self.calls.list.as_ref(), "lists its tokens")?;
        let rows = self.call(list, &CallValues::default())?.rows(list)?;
        let mut output = std::io::stdout().lock();
        let titles: Vec<&str> = list.columns.iter().map(String::as_str).collect();
        writeln!(output, "{}", titles.join("\t"))?;
        for row in rows {
            writeln!(output, "{}", row.join("\t"))?;
        }
        Ok(0)
    }

    fn create(&self, arguments: &CreateTokenArguments) -> anyhow::Result<u8> {
        let call = match arguments.replace {
            true => self.known(self.calls.replace.as_ref(), "replaces its tokens")?,
            false if self.calls.create.is_none() && self.calls.replace.is_some() => {
                return Err(TokenError::OnlyReplaces(self.source.name.clone()).into());
            }
            false => self.known(self.calls.create.as_ref(), "makes tokens")?,
        };
        // All that can be refused is refused before a token is made: one that is lost stays good until it ends.
        let expires = self.expires(call, arguments.expires)?;
        let token_name = self.token_name(call, arguments.name.as_deref())?;
        let to = arguments.to.as_deref().filter(|path| *path != Path::new(STDOUT));
        if to.is_none() && std::io::stdout().is_terminal() {
            return Err(TokenError::Terminal.into());
        }
        let file = to.map(|path| SecretFile::begin(path, arguments.force));
        let file = file.transpose().map_err(TokenError::File)?;
        if arguments.replace {
            writeln!(std::io::stderr(), "warning: all other tokens of this user end now")?;
        } else {
            self.check_room()?;
        }
        let values = CallValues {
            name: Some(token_name),
            expires,
            id: None,
        };
        let answer = self.call(call, &values)?;
        let secret = answer.secret(call)?;
        let written = match file {
            Some(file) => file.finish(&secret),
            None => SecretFile::print(&secret),
        };
        if let Some(said) = answer.warning() {
            writeln!(
                std::io::stderr(),
                "warning: the token was made, and the API says: {said}"
            )?;
        }
        match written {
            Ok(()) => Ok(0),
            // Of a pipe that is closed, too: nobody has the token then.
            Err(error) => {
                let name = &self.source.name;
                writeln!(std::io::stderr(), "error: `{name}`: {}: {error}", self.lost_token())?;
                Ok(1)
            }
        }
    }

    /// What is said of a token that was made and is in nobody's hands.
    fn lost_token(&self) -> String {
        let remedy = match (&self.calls.list, &self.calls.revoke) {
            (Some(_), Some(_)) => "end it by `gqldump token revoke ID`, with the id that `gqldump token list` shows",
            _ => "end it on the API's web page",
        };
        format!("the token was made, stays good, and could not be written; {remedy}")
    }

    fn revoke(&self, arguments: &RevokeTokenArguments) -> anyhow::Result<u8> {
        let revoke = self.known(self.calls.revoke.as_ref(), "revokes tokens")?;
        let values = CallValues {
            id: Some(arguments.id.clone()),
            ..CallValues::default()
        };
        self.call(revoke, &values)?;
        writeln!(
            std::io::stdout(),
            "{}: the token {} is revoked",
            self.source.name,
            arguments.id
        )?;
        Ok(0)
    }

    /// What the token is to be called; fails where the API would refuse that, or is not told.
    fn token_name(&self, call: &TokenCall, given: Option<&str>) -> Result<String, TokenError> {
        let source = || self.source.name.clone();
        let takes_name = call.request.takes("name");
        if given.is_some() && !takes_name {
            return Err(TokenError::Unnamed(source()));
        }
        let chosen = given.unwrap_or(NAME);
        let count = chosen.chars().count();
        match self.calls.name_characters.map(NonZeroU32::get) {
            Some(most) if takes_name && !(1..=most as usize).contains(&count) => {
                Err(TokenError::Name { name: source(), most })
            }
            _ => Ok(chosen.to_owned()),
        }
    }

    /// Fails where there are as many tokens as there can be.
    fn check_room(&self) -> anyhow::Result<()> {
        let (Some(most), Some(list)) = (self.calls.at_most, &self.calls.list) else {
            return Ok(());
        };
        let count = self.call(list, &CallValues::default())?.rows(list)?.len();
        if count < usize::try_from(most.get()).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let replace = match self.calls.replace {
            Some(_) => ", or write `--replace` to end all of them",
            None => "",
        };
        let name = self.source.name.clone();
        Err(TokenError::TooMany { name, count, replace }.into())
    }

    /// When a token that is made now is to end.
    fn expires(&self, call: &TokenCall, lasts: Option<Duration>) -> Result<Option<u64>, TokenError> {
        let name = || self.source.name.clone();
        match (call.request.takes("expires"), lasts) {
            (true, None) => Err(TokenError::NoExpiry(name())),
            (false, Some(_)) => Err(TokenError::Expiry(name())),
            (false, None) => Ok(None),
            (true, Some(lasts)) => match self.calls.longest.filter(|longest| lasts >= *longest) {
                Some(longest) => Err(TokenError::TooLong { name: name(), longest }),
                None => {
                    let now = Clock::system().wall().duration_since(UNIX_EPOCH).unwrap_or_default();
                    Ok(Some(now.saturating_add(lasts).as_secs()))
                }
            },
        }
    }

    fn known<'call>(&self, call: Option<&'call TokenCall>, what: &'static str) -> Result<&'call TokenCall, TokenError> {
        call.ok_or_else(|| match &self.calls.by_hand {
            Some(words) => TokenError::ByHand(self.source.name.clone(), words.clone()),
            None => TokenError::NotKnown(self.source.name.clone(), what),
        })
    }

    fn call(&self, of: &TokenCall, values: &CallValues) -> anyhow::Result<CallAnswer> {
        let settings = quiet_settings(PathBuf::new());
        let mut reached = Reached::of(&self.source)?;
        if let CallRequest::Path { method, path, .. } = &of.request {
            reached.call_path(*method, &path_with_id(path, values.id.as_deref().unwrap_or_default()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(call(&reached.job, &settings, of, values))?)
    }
}

/// Whose a token is, by the first column; what else the API says of it comes under its own name, since it may be of
/// another thing than the token: of the session that it stands for, say.
fn owner_words(columns: &[String], shown: &[String]) -> String {
    let Some((owner, others)) = shown.split_first() else {
        return String::new();
    };
    let names = columns
        .iter()
        .skip(1)
        .map(|path| path.rsplit('.').next().unwrap_or(path));
    let others: Vec<String> = names
        .zip(others)
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let says = if others.is_empty() { "" } else { "; the API says: " };
    format!(", of {owner}{says}{}", others.join(", "))
}

fn counted(tokens: usize) -> String {
    match tokens {
        1 => "1 token".to_owned(),
        tokens => format!("{tokens} tokens"),
    }
}
