//! The `filter` of a connection, as the workspace file writes it.

use super::Reader;
use crate::filter::{Consent, EventNames, Filter, Strategy};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// Texts that know their places.
type Words = Spanned<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FilterEntry {
    message_types: Option<Words>,
    events: Option<Spanned<EventsEntry>>,
    consent: Option<Spanned<Vec<Spanned<ConsentEntry>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsEntry {
    only: Option<Words>,
    except: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentEntry {
    provider: Option<Spanned<String>>,
    #[serde(default)]
    strategy: Strategy,
    ids: Words,
}

impl Reader<'_> {
    /// A filter that says nothing is none.
    pub(super) fn filter(&mut self, path: &str, entry: Option<Spanned<FilterEntry>>) -> Option<Filter> {
        let path = format!("{path}.filter");
        let FilterEntry { message_types, events, consent } = self.place(path.clone(), entry?);
        let filter = Filter {
            message_types: message_types.map(|types| self.words(format!("{path}.message-types"), types)),
            events: events.map(|events| self.event_names(format!("{path}.events"), events)),
            consent: consent.map(|entries| self.consents(&format!("{path}.consent"), entries)),
        };
        Some(filter).filter(|filter| !filter.is_blank())
    }

    fn event_names(&mut self, path: String, entry: Spanned<EventsEntry>) -> EventNames {
        let EventsEntry { only, except } = self.place(path.clone(), entry);
        EventNames {
            only: only.map(|names| self.words(format!("{path}.only"), names)),
            except: except.map(|names| self.words(format!("{path}.except"), names)),
        }
    }

    fn consents(&mut self, path: &str, entries: Spanned<Vec<Spanned<ConsentEntry>>>) -> Vec<Consent> {
        let entries = self.place(path.to_owned(), entries).into_iter().enumerate();
        entries
            .map(|(index, entry)| {
                let path = format!("{path}[{index}]");
                let ConsentEntry { provider, strategy, ids } = self.place(path.clone(), entry);
                Consent {
                    provider: provider.map(|provider| self.place(format!("{path}.provider"), provider)),
                    strategy,
                    ids: self.words(format!("{path}.ids"), ids),
                }
            })
            .collect()
    }

    fn words(&mut self, path: String, words: Words) -> Vec<String> {
        let words = self.place(path.clone(), words);
        self.names(&path, Some(words))
    }
}
