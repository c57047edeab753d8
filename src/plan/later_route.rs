//! The ways to later pages that another field of the query root has: the one that takes the cursor of the page before, or
//! the one that lists the rows of a connection by the row that holds it.

use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::Name;

use crate::plan::columns::Context;
use crate::plan::driven::{Driven, written_with};
use crate::plan::route::{Route, RouteMaker};
use crate::plan::table::{AncestorField, AncestorRole, RowId};
use crate::plan::text::{Source, Token};
use crate::schema::{ArgumentPath, Pager};

impl<'plan> RouteMaker<'plan> {
    /// The way to a later page of a connection that goes on under another root field.
    pub(crate) fn later_route(self, row: usize) -> Option<Route> {
        let (name, arguments) = self.moved(row).or_else(|| self.reversed(row))?;
        let name = name.to_string();
        Some(Route {
            tokens: vec![
                Token::Root {
                    key: name.clone(),
                    name: name.clone(),
                },
                arguments,
                Token::Body(row),
            ],
            root: AncestorField {
                key: name,
                is_optional: false,
                tells: Vec::new(),
                role: AncestorRole::Rows(self.plans[row].layout.clone()),
            },
            beside: Vec::new(),
        })
    }

    /// The root field that takes the cursor of the page before.
    fn moved(self, row: usize) -> Option<(&'plan Name, Token)> {
        let Pager::MovingCursor {
            next_field,
            cursor,
            next_size,
            ..
        } = &self.rows()[row].paged()?.paged.pager
        else {
            return None;
        };
        let root = self.context.schema.schema_definition.query.as_ref()?;
        let definition = self.context.schema.type_field(&root.name, next_field).ok()?;
        let variable = |path: &'plan ArgumentPath, stem: &str, value| {
            let value = variable(self.context, definition, path, (stem, value))?;
            Some(Driven::always(path, value))
        };
        let size = next_size
            .as_ref()
            .and_then(|size| variable(size, "pageSize", Source::Size));
        let driven = size.into_iter().chain(variable(cursor, "cursor", Source::Position));
        Some((
            next_field,
            written_with(std::iter::empty(), &driven.collect::<Vec<_>>()),
        ))
    }

    /// The root field that lists the rows of a connection by the row that holds it, with the author's own arguments.
    fn reversed(self, row: usize) -> Option<(&'plan Name, Token)> {
        let field = &self.rows()[row];
        let paged = field.paged()?;
        let (Pager::Reverse { next_field, parent, .. }, Some(rest)) = (&paged.paged.pager, &paged.rest) else {
            return None;
        };
        // Only one value alone can be given.
        if !matches!(&self.plans[field.parent?].layout.row.id, RowId::Key(places) if places.len() == 1) {
            return None;
        }
        let variable = |path: &'plan ArgumentPath, stem: &str, value| {
            let value = variable(self.context, &rest.definition, path, (stem, value))?;
            Some(Driven::always(path, value))
        };
        let size = rest.paged.size.as_ref();
        let mut driven = vec![
            variable(parent, "parent", Source::Parent)?,
            variable(&rest.offset, "offset", Source::Position)?,
        ];
        driven.extend(size.and_then(|size| variable(size, "pageSize", Source::Size)));
        let is_size = |name: &Name| {
            paged
                .paged
                .size
                .as_ref()
                .is_some_and(|size| size.0.first() == Some(name))
        };
        let own = field.field()?.field.arguments.iter();
        let own: Vec<_> = own.filter(|argument| !is_size(&argument.name)).collect();
        let order = rest.paged.order.iter();
        let order = order.filter(|(path, _)| !own.iter().any(|own| path.0.first() == Some(&own.name)));
        driven.extend(order.map(|(path, literal)| Driven::always(path, Token::Text(literal.clone()))));
        Some((next_field, written_with(own.into_iter(), &driven)))
    }
}

/// A variable for an argument of a field of the query root.
fn variable(
    context: Context<'_>,
    definition: &FieldDefinition,
    path: &ArgumentPath,
    (stem, value): (&str, Source),
) -> Option<Token> {
    let ty = path.ty(definition, context.schema)?.non_null().to_string();
    Some(Token::Variable {
        stem: stem.to_owned(),
        ty,
        value,
    })
}
