//! What may be paging under names that leave it open: taken for nothing, it would lose rows, so that the author is asked.

use apollo_compiler::ast::InputValueDefinition;

use crate::schema::paging::names::{self, is_cursor, is_number, plain, rank};
use crate::schema::paging::subject::Subject;

impl Subject<'_> {
    /// The arguments that look like paging, those that only may be included.
    pub(super) fn signs(&self) -> Vec<String> {
        let mut signs = self.arguments.signs();
        signs.extend(self.doubtful().iter().map(|input| input.name.to_string()));
        signs
    }

    /// Whether an argument other than the size could ask for another part of the list.
    pub(super) fn may_move(&self) -> bool {
        self.arguments.may_move() || !self.doubtful().is_empty()
    }

    /// Arguments that can ask for another part, with any others that can be sizes. Alone they are taken for filters:
    /// there has to be a size beside them, or an answer that speaks of pages.
    fn doubtful(&self) -> Vec<&InputValueDefinition> {
        let others: Vec<_> = self
            .arguments
            .others()
            .filter(|input| !self.is_explained(input))
            .collect();
        let is_loose = |input: &InputValueDefinition, lists: &[&[&str]]| {
            lists.iter().any(|names| rank(&input.name, names).is_some())
        };
        let is_size =
            |input: &InputValueDefinition| is_number(self.schema, &input.ty) && is_loose(input, &[names::WEAK_SIZE]);
        let is_mover = |input: &InputValueDefinition| match is_number(self.schema, &input.ty) {
            true => is_loose(input, &[names::LOOSE_OFFSET, names::LOOSE_CURSOR]) || !is_plain_filter(&input.name),
            false => is_cursor(self.schema, &input.ty) && is_loose(input, &[names::LOOSE_CURSOR]),
        };
        let sizes = others.iter().filter(|input| is_size(input)).count();
        let is_sized = self.arguments.size().is_some() || sizes > 0;
        let is_paging = |input: &&InputValueDefinition| is_size(input) || is_mover(input);
        let doubtful: Vec<_> = others.into_iter().filter(is_paging).collect();
        match (is_sized || self.answer.speaks_of_pages()) && doubtful.len() > sizes {
            true => doubtful,
            false => Vec::new(),
        }
    }

    /// Whether an argument has to be there, so that it cannot be left out for a first page, or is called like a value of
    /// the rows, which it then filters.
    fn is_explained(&self, input: &InputValueDefinition) -> bool {
        input.is_required() || self.answer.row_has(&input.name)
    }
}

fn is_plain_filter(name: &str) -> bool {
    let plain_name = plain(name);
    [names::FILTERS, names::RANGE_STARTS, names::RANGE_ENDS]
        .iter()
        .any(|list| rank(name, list).is_some())
        || names::FILTER_STARTS.iter().any(|start| plain_name.starts_with(start))
        || names::FILTER_ENDS.iter().any(|end| plain_name.ends_with(end))
}
