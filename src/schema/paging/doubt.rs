//! What may be paging under names that leave it open: taken for nothing, it would lose rows, so that the author is asked.

use apollo_compiler::ast::InputValueDefinition;

use crate::schema::paging::names::{self, is_about_position, is_cursor, is_cursor_like, is_whole, plain, rank};
use crate::schema::paging::path::{ArgumentPath, FieldPath};
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

    /// An argument, and the value beside the rows that it takes for the next page. That both are called the same tells
    /// it only of cursors, and where there is a size: what was asked for is often repeated in the answer.
    pub(super) fn echo(&self) -> Option<(ArgumentPath, FieldPath)> {
        if self.answer.is_thing() {
            return None;
        }
        let may_repeat = |name: &str| self.arguments.loose_size().is_some() || is_cursor_like(name);
        let value = |name: &str| {
            let namesake = || self.answer.namesake(name).filter(|_| may_repeat(name));
            self.answer.echo_of(name).or_else(namesake)
        };
        let mut takers = self.arguments.takers();
        takers.find_map(|(path, input)| Some((path.clone(), value(&input.name)?)))
    }

    /// Arguments that can ask for another part, with any others that can be sizes. Alone they are taken for filters:
    /// there has to be a size beside them, or an answer that speaks of pages or gives what they take.
    fn doubtful(&self) -> Vec<&InputValueDefinition> {
        let others = self.arguments.others().filter(|input| !self.is_explained(input));
        let (movers, others): (Vec<_>, Vec<_>) = others.partition(|input| self.may_be_mover(input));
        let sizes: Vec<_> = others.into_iter().filter(|input| self.may_be_size(input)).collect();
        let is_sized = self.arguments.size().is_some() || !sizes.is_empty();
        match !movers.is_empty() && (is_sized || self.answer.speaks_of_pages() || self.echo().is_some()) {
            true => movers.into_iter().chain(sizes).collect(),
            false => Vec::new(),
        }
    }

    fn may_be_size(&self, input: &InputValueDefinition) -> bool {
        let is_of_pair = || self.arguments.pair().is_some_and(|(_, size)| is_called(&size, input));
        is_whole(self.schema, &input.ty) && (rank(&input.name, names::WEAK_SIZE).is_some() || is_of_pair())
    }

    fn may_be_mover(&self, input: &InputValueDefinition) -> bool {
        let is_taker = || self.echo().is_some_and(|(argument, _)| is_called(&argument, input));
        let is_by_name = match is_whole(self.schema, &input.ty) {
            true => self.may_be_place(input),
            false => is_cursor(self.schema, &input.ty) && is_cursor_like(&input.name),
        };
        is_by_name || is_taker()
    }

    /// Whether a number can be a page, a place in the list or the key of the last row.
    fn may_be_place(&self, input: &InputValueDefinition) -> bool {
        let arguments = &self.arguments;
        let mut found = [arguments.loose_page(), arguments.offset()].into_iter().flatten();
        found.any(|path| is_called(&path, input))
            || rank(&input.name, names::LOOSE_OFFSET).is_some()
            || is_cursor_like(&input.name)
            || (!self.may_be_size(input) && !is_plain_filter(&input.name) && is_about_position(&input.name))
    }

    /// Whether an argument has to be there, so that it cannot be left out for a first page, or is called like a value of
    /// the rows, which it then filters.
    fn is_explained(&self, input: &InputValueDefinition) -> bool {
        input.is_required() || self.answer.row_has(&input.name)
    }
}

fn is_called(path: &ArgumentPath, input: &InputValueDefinition) -> bool {
    path.0.last() == Some(&input.name)
}

fn is_plain_filter(name: &str) -> bool {
    let plain_name = plain(name);
    [names::RANGE_STARTS, names::RANGE_ENDS]
        .iter()
        .any(|list| rank(name, list).is_some())
        || names::FILTER_STARTS.iter().any(|start| plain_name.starts_with(start))
        || names::FILTER_ENDS.iter().any(|end| plain_name.ends_with(end))
}
