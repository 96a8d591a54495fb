use super::*;

fn parsed(text: &str) -> Result<Catalog, FileError> {
    let plugins = crate::file::bundled_plugins();
    parse(text, Path::new("w.yaml"), &plugins, &Config::default()).map(|parsed| parsed.catalog)
}

fn refused(text: &str) -> String {
    parsed(text).unwrap_err().to_string()
}

const GOOD: &str = r#"
sources:
  site:
    name: The site
    write-key: wk-1
  old: {write-key: wk-2, enabled: false}

destinations:
  orders:
    plugin: webhook
    config:
      webhookUrl: https://example.com/orders
      headers:
        - {from: Authorization, to: "Bearer ${env:ORDERS_TOKEN}"}
      retries: 3
    message-types: [track, Identify]
    integration: Order Book
    delivery: {requests-per-second-max: 50, first-byte-timeout: 2.5, attempts-max: 20}
  audit:
    plugin: webhook
    state: paused
    delivery: {}

transformations:
  tidy:
    code: |
      export function transformEvent(event) {
        return event;
      }

connections:
  site-orders:
    source: site
    destination: orders
    transformations: [tidy]
    filter:
      message-types: [track, Page]
      events: {only: [' Paid ', 404]}
      consent:
        - {provider: custom, strategy: or, ids: [ads]}
        - ids: [C1]
  old-audit: {source: old, destination: audit, enabled: false, filter: {}}
"#;

#[test]
fn a_workspace_becomes_a_catalog() {
    let catalog = parsed(GOOD).unwrap();
    assert_eq!(catalog.sources["site"].name, "The site");
    assert_eq!(catalog.sources["site"].write_key, "wk-1");
    assert!(catalog.sources["site"].enabled && !catalog.sources["old"].enabled);

    let orders = &catalog.destinations["orders"];
    assert_eq!(orders.name, "orders");
    assert_eq!(orders.config["retries"], 3);
    assert_eq!(orders.config["headers"][0]["to"], "Bearer ${env:ORDERS_TOKEN}");
    assert_eq!(orders.state, DestinationState::Enabled);
    assert!(orders.takes("track") && orders.takes("identify") && !orders.takes("page"));
    assert_eq!(orders.integration.as_deref(), Some("Order Book"));
    let words = "requests-per-second-max 50, first-byte-timeout 2.5, attempts-max 20";
    assert_eq!(orders.delivery.as_ref().unwrap().to_string(), words);
    assert_eq!(catalog.destinations["audit"].delivery, None, "it says nothing");
    assert_eq!(catalog.destinations["audit"].state, DestinationState::Paused);
    assert!(catalog.destinations["audit"].takes("page"));

    let tidy = &catalog.transformations["tidy"];
    let code = "export function transformEvent(event) {\n  return event;\n}\n";
    assert_eq!(tidy.history.live().unwrap().code, Code::source(Language::JavaScript, code.as_bytes()));
    assert_eq!(catalog.connections["site-orders"].transformations, ["tidy"]);
    assert!(catalog.connections["site-orders"].is_on());
    assert!(!catalog.connections["old-audit"].is_on());

    let filter = catalog.connections["site-orders"].filter.as_ref().unwrap();
    let text =
        "only track, Page; only events  Paid , 404; consent ads of custom (or); consent C1 of any provider (and)";
    assert_eq!(filter.to_string(), text);
    assert_eq!(catalog.connections["old-audit"].filter, None, "it says nothing");
}

#[test]
fn a_catalog_survives_its_stored_form() {
    let catalog = parsed(GOOD).unwrap();
    let stored = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&stored).unwrap(), catalog);
}

#[test]
fn sections_may_be_blank_or_absent() {
    let catalog = parsed("sources: {}\ndestinations:\nconnections: # nothing yet\n").unwrap();
    assert_eq!(catalog, Catalog::default());
}

#[test]
fn a_file_that_lists_no_sources_is_refused_as_a_half_written_one() {
    for text in ["", "\n# just a note\n", "sources:\n", "destinations: {}\n"] {
        let error = refused(text);
        assert!(error.starts_with("w.yaml:1:1: sources: the file lists no sources"), "{error}");
    }
}

/// Each wrong file with the start of the error it must give.
const WRONG: &[(&str, &str)] = &[
    ("sources: [\n", "w.yaml:"),
    ("sources: {}\n\tdestinations: {}\n", "w.yaml:2"),
    ("sources: {}\nsauces: {}\n", "w.yaml:2:1: unknown field"),
    ("sources: {}\nsources: {}\n", "w.yaml:2:1: duplicate mapping key"),
    ("sources:\n  a: {write-key: x}\n  a: {write-key: y}\n", "w.yaml:3:3: duplicate mapping key"),
    ("sources:\n  a: {writeKey: x}\n", "w.yaml:2:7: unknown field `writeKey`"),
    ("sources:\n  a: {name: x}\n", "w.yaml:2:7: missing field `write-key`"),
    ("sources:\n  a: x\n", "w.yaml:2:6: "),
    ("sources: [a, b]\n", "w.yaml:1:10: "),
    ("- sources\n", "w.yaml:1:1: "),
    ("sources:\n  a: {write-key: }\n", "w.yaml:2:"),
    ("sources:\n  a: {write-key: ''}\n", "w.yaml:2:18: sources.a.write-key: is empty"),
    ("sources:\n  a: {write-key: 'a b'}\n", "w.yaml:2:18: sources.a.write-key: holds a colon, a space"),
    ("sources:\n  a: {write-key: 'a:b'}\n", "w.yaml:2:18: sources.a.write-key: holds a colon"),
    ("sources:\n  a: {write-key: '${env:X}'}\n", "w.yaml:2:18: sources.a.write-key: holds a reference"),
    ("sources:\n  a b: {write-key: x}\n", "w.yaml:2:8: sources.a b: is not a usable id"),
    ("sources:\n  a/b: {write-key: x}\n", "w.yaml:2:8: sources.a/b: is not a usable id"),
    (
        "sources:\n  a: {write-key: x}\n  b: {write-key: x}\n",
        "w.yaml:3:18: sources.b.write-key: is the write key of source `a` as well; give every",
    ),
    ("sources:\n  a: {write-key: x, enabled: perhaps}\n", "w.yaml:2:30: "),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhok}\n",
        "w.yaml:3:15: destinations.d.plugin: there is no plugin `webhok`; use one of the plugins amplitude, braze, customerio",
    ),
    ("sources: {}\ndestinations:\n  d: {config: {}}\n", "w.yaml:3:7: missing field `plugin`"),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhook, config: [1]}\n",
        "w.yaml:3:32: destinations.d.config: is not a map",
    ),
    ("sources: {}\ndestinations:\n  d: {plugin: webhook, state: off}\n", "w.yaml:3:31: unknown variant"),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhook, integration: ' '}\n",
        "w.yaml:3:37: destinations.d.integration: is blank; write the name",
    ),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhook, delivery: {attempts-max: 0}}\n",
        "w.yaml:3:49: destinations.d.delivery.attempts-max: is 0; use 1 to 1000000 tries",
    ),
    ("sources: {}\ndestinations:\n  d: {plugin: webhook, delivery: {retries: 3}}\n", "w.yaml:3:35: unknown field"),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhook, message-types: [track, click]}\n",
        "w.yaml:3:47: destinations.d.message-types[1]: `click` is not a type of event; use identify",
    ),
    (
        "sources: {}\ndestinations:\n  d:\n    plugin: webhook\n    config:\n      a:\n        - '${env:X'\n",
        "w.yaml:6:7: destinations.d.config.a[0]: holds a `${` reference without its `}`; close it",
    ),
    (
        "sources: {}\ndestinations:\n  d: {plugin: webhook, config: {a: '${file:token}'}}\n",
        "w.yaml:3:32: destinations.d.config.a: `${file:token}` is a relative path; write the absolute",
    ),
    ("sources: {}\ntransformations:\n  t: {}\n", "w.yaml:3:6: transformations.t: has neither `code` nor `file`"),
    (
        "sources: {}\ntransformations:\n  t: {code: x, file: y.js}\n",
        "w.yaml:3:22: transformations.t.file: names a file although `code` is there",
    ),
    ("sources: {}\ntransformations:\n  t: {code: ' '}\n", "w.yaml:3:6: transformations.t: has no code"),
    ("sources: {}\ntransformations:\n  t: {code: x, language: cobol}\n", "w.yaml:3:26: unknown variant"),
    (
        "sources: {}\ntransformations:\n  t: {file: no/such.js}\n",
        "w.yaml:3:13: transformations.t.file: no/such.js: cannot be read: No such file",
    ),
    (
        "sources: {}\nconnections:\n  c: {source: s, destination: d}\n",
        "w.yaml:3:15: connections.c.source: there is no source `s`; there are no sources yet",
    ),
    (
        "sources: {s: {write-key: x}}\nconnections:\n  c: {source: s, destination: d}\n",
        "w.yaml:3:31: connections.c.destination: there is no destination `d`",
    ),
    ("sources: {}\nconnections:\n  c: {source: s}\n", "w.yaml:3:7: missing field `destination`"),
    (
        "sources: {s: {write-key: x}}\ndestinations: {d: {plugin: webhook}}\nconnections:\n  c:\n    \
         source: s\n    destination: d\n    transformations: [tidy]\n",
        "w.yaml:7:23: connections.c.transformations[0]: there is no transformation `tidy`",
    ),
    (
        "sources: {s: {write-key: x}}\ndestinations: {d: {plugin: webhook}}\nconnections:\n  c: \
         {source: s, destination: d}\n  e: {source: s, destination: d}\n",
        "w.yaml:5:6: connections.e: joins `s` and `d`, as `c` does; keep one of them",
    ),
    (
        "sources: {s: {write-key: x}}\ndestinations: {d: {plugin: webhook}}\nconnections:\n  c:\n    source: s\n    \
         destination: d\n    filter:\n      message-types: [track, click]\n",
        "w.yaml:8:30: connections.c.filter.message-types[1]: `click` is not a type of event; use identify",
    ),
    (
        "sources: {s: {write-key: x}}\ndestinations: {d: {plugin: webhook}}\nconnections:\n  c:\n    source: s\n    \
         destination: d\n    filter:\n      events: {only: [a], except: [b]}\n",
        "w.yaml:8:15: connections.c.filter.events: has both `only` and `except`; keep one",
    ),
    (
        "sources: {s: {write-key: x}}\ndestinations: {d: {plugin: webhook}}\nconnections:\n  c:\n    source: s\n    \
         destination: d\n    filter:\n      consent: [{provider: custom, ids: []}]\n",
        "w.yaml:8:41: connections.c.filter.consent[0].ids: is empty; name a consent",
    ),
    ("sources: {}\nconnections:\n  c: {filter: {events: {olny: [a]}}}\n", "w.yaml:3:25: unknown field `olny`"),
    (
        "sources: {}\nconnections:\n  c: {filter: {consent: [{strategy: xor, ids: [a]}]}}\n",
        "w.yaml:3:37: unknown variant",
    ),
    ("sources: {}\n---\nsources: {}\n", "w.yaml:"),
    ("sources: &a {x: *a}\n", "w.yaml:1:"),
    ("sources: !!binary aGVsbG8=\n", "w.yaml:1:"),
];

#[test]
fn each_wrong_file_says_where_what_and_how_to_repair_it() {
    let mut wrong = Vec::new();
    for (text, start) in WRONG {
        let error = refused(text);
        if !error.starts_with(start) {
            wrong.push(format!("{text}\n  expected {start}\n  got      {error}"));
        }
        assert!(error.contains("; "), "says what to do: {error}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_of_a_file_are_told_at_once_in_its_order() {
    let error = parsed(
        "connections:\n  c: {source: s, destination: d}\nsources:\n  a: {write-key: ''}\n  b: {write-key: ' '}\n",
    )
    .unwrap_err();
    let lines: Vec<Option<u64>> = error.problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [Some(2), Some(2), Some(4), Some(5)], "{error}");
    assert_eq!(error.line(), Some(2));
    assert_eq!(error.column(), Some(15));
}

#[test]
fn an_error_never_shows_a_configuration_value() {
    for text in [
        "sources: {}\ndestinations:\n  d: {plugin: webhook, config: {token: hunter2}, stat: x}\n",
        "sources: {}\ndestinations:\n  d:\n    plugin: webhook\n    config:\n      token: hunter2\n      token: hunter2\n",
        "sources: {}\ndestinations:\n  d: {plugin: webhook, config: hunter2}\n",
        "sources: {}\ndestinations:\n  d: {plugin: webhook, config: {t: 'hunter2 ${env:X'}}\n",
        "sources: {}\ndestinations:\n  d:\n    config: {t: \"hunter2}\n",
    ] {
        let error = refused(text);
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "sources: {}\ndestinations:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("  a{level}: &a{level} [{list}]\n"));
    }
    assert!(parsed(&text).is_err());
}

#[test]
fn deep_nesting_is_refused_rather_than_fatal() {
    let text = format!("sources: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parsed(&text).is_err());
    let inside = format!(
        "sources: {{}}\ndestinations: {{d: {{plugin: webhook, config: {{a: {}{}}}}}}}",
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    assert!(parsed(&inside).is_err());
}
