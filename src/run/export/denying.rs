//! Fields that the token may not see: what becomes of an answer that names some, and of a request refused for them.

use serde::Deserialize;
use serde_json::Value;

use crate::api::{Answer, ErrorPath, GraphqlError, Unplaced};
use crate::project::OnDenied;
use crate::run::denied::{Denial, Denials, Told, denials_in_words};
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError, Workplace};
use crate::run::harvest::Harvest;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    data: Value,
}

/// `data` of a body that was read before, and so can be read again.
pub(super) fn data_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).map_or(Value::Null, |Body { data }| data)
}

impl Export<'_> {
    /// Notes the fields of an answer that are not to be asked for any more. An error tells that the answer lacks more than
    /// these, and is not to be taken.
    pub(super) fn heed_denied(&mut self, sent: &Sent, answer: &Answer<Harvest>) -> Result<(), ExportError> {
        let Some(first) = answer.denied.first() else {
            return Ok(());
        };
        let of_first = |error: &&GraphqlError| error.path.as_ref() == Some(first);
        let said = answer.errors.iter().find(of_first);
        self.workplace
            .stop_if_told(&first.to_string(), said.map_or("", |error| error.message.as_str()))?;
        let data = data_of(&answer.body);
        let told = Told {
            plan: &self.plan,
            asked: &sent.asked,
            data: &data,
            errors: &answer.errors,
            denied: &answer.denied,
        };
        let Denials { voiding, everywhere } = told.denials();
        // What leaves nothing to ask for is not taken: who may see it asks for it again.
        if voiding.is_empty() && self.goes_on_without(&everywhere) {
            self.denied_everywhere.extend(everywhere);
            return Ok(());
        }
        Err(ExportError::LeaveOut([voiding, everywhere].concat()))
    }

    /// Whether there is something left to be asked for without these.
    pub(super) fn goes_on_without(&self, denials: &[Denial]) -> bool {
        let now = self.workplace.clock.unix_millis();
        denials.is_empty() || self.planner.without(denials, now).is_ok()
    }

    /// The fields because of which nothing came at all, as an error that tells to ask without them; `Ok` where it is not
    /// such that make the difference.
    pub(super) fn heed_refusal(
        &self,
        sent: &Sent,
        paths: &[ErrorPath],
        cause: &str,
        unplaced: &[Unplaced],
    ) -> Result<(), ExportError> {
        let named = denials_in_words(&self.plan, unplaced);
        if let Some(first) = paths.first() {
            self.workplace.stop_if_told(&first.to_string(), cause)?;
        }
        if let Some(Denial { path, cause, .. }) = named.first() {
            self.workplace.stop_if_told(path, cause)?;
        }
        let told = Told {
            plan: &self.plan,
            asked: &sent.asked,
            data: &Value::Null,
            errors: &[],
            denied: paths,
        };
        let mut voiding = told.denials().voiding;
        voiding
            .iter_mut()
            .for_each(|denial| cause.clone_into(&mut denial.cause));
        for denial in named {
            if !voiding.iter().any(|other| other.path == denial.path) {
                voiding.push(denial);
            }
        }
        match voiding.is_empty() {
            true => Ok(()),
            false => Err(ExportError::LeaveOut(voiding)),
        }
    }
}

impl Workplace {
    /// An error, where the source is told to stop at a field that the token may not see.
    pub(super) fn stop_if_told(&self, path: &str, cause: &str) -> Result<(), ExportError> {
        match self.on_denied {
            OnDenied::LeaveOut => Ok(()),
            OnDenied::Stop => Err(ExportError::NotSeen {
                path: path.to_owned(),
                cause: cause.to_owned(),
                remedy: "leave it out of the query, use another token, or have the rest exported with `on_denied = \
                         \"leave_out\"` in source.toml",
            }),
        }
    }
}
