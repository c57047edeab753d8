//! Fields that fail and take more with them than themselves, in words that do not say why: where they fail again when the
//! same is asked for again, they are asked for apart from the others, so that all else comes.

use serde_json::Value;

use crate::api::{Answer, ApiError, ErrorPath, GraphqlError};
use crate::plan::Plan;
use crate::run::denied::{Denial, Denials, Told};
use crate::run::export::asking::Asker;
use crate::run::export::denying::data_of;
use crate::run::export::sending::Sent;
use crate::run::export::taking::PAGE_ATTEMPTS;
use crate::run::export::{Export, ExportError};
use crate::run::harvest::Harvest;
use crate::run::plans::Planner;

impl Planner<'_> {
    /// Those of the fields that can be asked for apart from the others.
    fn can_set_apart(&self, mut fields: Vec<Denial>) -> Vec<Denial> {
        fields.retain(|field| {
            let plan = self.without(std::slice::from_ref(field), 0);
            plan.is_ok_and(|(_, plan)| plan.is_denied_in_rows(&field.path))
        });
        fields
    }
}

impl Export<'_> {
    /// Whether a request is asked again, since fields failed that took more along, which may be chance. An error tells that
    /// such have failed again, and are to be asked for apart.
    pub(super) fn heed_failing(&mut self, sent: &Sent, answer: &Answer<Harvest>) -> Result<bool, ExportError> {
        let paths = places(&answer.errors);
        let failing: Vec<ErrorPath> = paths.filter(|path| !answer.denied.contains(path)).collect();
        if failing.is_empty() {
            self.is_apart_in_vain = false;
            return Ok(false);
        }
        let told = Told {
            plan: &self.plan,
            asked: &sent.asked,
            data: &data_of(&answer.body),
            errors: &answer.errors,
            denied: &failing,
        };
        let Denials {
            voiding,
            mut everywhere,
        } = told.failures();
        // What some rows have may fail in all of others by chance.
        self.is_apart_in_vain &= !everywhere.is_empty();
        everywhere.retain(|_| self.is_apart_in_vain);
        let fields = self
            .planner
            .can_set_apart(sent.fail_for_themselves(&self.plan, voiding));
        let places = told.places_of(&fields);
        let failed_before = |field: &Denial| {
            let mut own = places.iter().filter(|(path, _)| *path == field.path);
            own.any(|(_, place)| self.failed_places.contains(place))
        };
        let again: Vec<Denial> = fields.into_iter().filter(failed_before).collect();
        if !again.is_empty() {
            return Err(ExportError::LeaveOut([again, everywhere].concat()));
        }
        if self.goes_on_without(&everywhere) {
            self.denied_everywhere.extend(everywhere);
        }
        let mut may_be_chance = !places.is_empty();
        for (_, place) in places {
            let attempts = self.failed_attempts.entry(place.0).or_insert(0);
            may_be_chance &= *attempts + 1 < PAGE_ATTEMPTS;
            self.failed_places.insert(place);
        }
        for asked in sent.asked.iter().filter(|_| may_be_chance) {
            *self.failed_attempts.entry(asked.task.id).or_insert(0) += 1;
        }
        Ok(may_be_chance)
    }

    /// The fields that left no data in the last two attempts at a request, as an error that tells to ask for them apart;
    /// `Ok` where there are none, or no way to do so.
    pub(super) fn heed_failed(&self, sent: &Sent, error: &ExportError) -> Result<(), ExportError> {
        let ExportError::Api(error) = error else { return Ok(()) };
        match self.planner.can_set_apart(failed_in(&self.plan, sent, error)) {
            fields if fields.is_empty() => Ok(()),
            fields => Err(ExportError::LeaveOut(fields)),
        }
    }
}

impl Asker<'_> {
    /// Whether fields that left no data in the last two attempts can be asked for apart from the others.
    pub(super) fn can_set_failed_apart(&self, sent: &Sent, error: &ApiError) -> bool {
        !self
            .planner
            .can_set_apart(failed_in(&self.plan, sent, error))
            .is_empty()
    }
}

/// The fields of rows that left no data in the last two attempts at a request.
fn failed_in(plan: &Plan, sent: &Sent, error: &ApiError) -> Vec<Denial> {
    let told = Told {
        plan,
        asked: &sent.asked,
        data: &Value::Null,
        errors: error.failed_fields(),
        denied: &places(error.failed_fields()).collect::<Vec<_>>(),
    };
    sent.fail_for_themselves(plan, told.failures().voiding)
}

impl Sent {
    /// Those of the fields that did not fail for the size of a page.
    fn fail_for_themselves(&self, plan: &Plan, mut fields: Vec<Denial>) -> Vec<Denial> {
        let size = |field: &Denial| {
            let index = plan
                .connections
                .iter()
                .position(|connection| connection.path == field.path);
            index.and_then(|index| self.inline_sizes.get(index)).copied()
        };
        fields.retain(|field| size(field).is_none_or(|size| size <= 1));
        fields
    }
}

fn places(errors: &[GraphqlError]) -> impl Iterator<Item = ErrorPath> {
    errors.iter().filter_map(|error| error.path.clone())
}
