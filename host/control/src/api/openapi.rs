//! The OpenAPI document, made from the list of routes.

use super::routes::{self, EMPTY, RAW, Route, Sent};
use crate::access::Role;
use axum::Json;
use serde_json::{Map, Value, json};

/// The documents, one a line: `Name: field type, …`. A field with `!` is always there; a type is `string`,
/// `integer`, `number`, `boolean`, `any`, `object`, or another document; `[]` makes it a list.
const SCHEMAS: &str = include_str!("openapi/schemas.txt");

/// GET /openapi.json
pub(super) async fn show() -> Json<Value> {
    Json(document())
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Pintle admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0"},
            "description": "Times are Unix milliseconds, sizes bytes. A thing carries an ETag; sent back as If-Match it \
                guards a change against lost updates (412). Secrets are never in an answer: a secret shows as `#secret:` \
                and its fingerprint, and that text sent back stands for the stored value. Uploads and publications may be \
                repeated: the same bytes again change nothing. A header `pintle-reason` says why something is changed."
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}
        }
    })
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path =
        in_path.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let in_query = route.query.iter().map(|(name, meaning)| {
        json!({"name": name, "in": "query", "required": false, "description": meaning, "schema": {"type": "string"}})
    });
    let mut operation = json!({
        "summary": route.summary,
        "operationId": id(route),
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": {
            "2XX": answer(route),
            "default": {
                "description": "Something is wrong; `detail` says what to do",
                "content": {"application/problem+json": {"schema": reference("Problem")}}
            }
        }
    });
    if let Some(body) = body(route.body) {
        operation["requestBody"] = body;
    }
    if let Some(role) = route.role {
        operation["security"] = json!([{"token": []}]);
        operation["x-role"] = json!(Role::as_str(role));
    }
    operation
}

fn answer(route: &Route) -> Value {
    match route.answer {
        EMPTY => json!({"description": "Done"}),
        RAW => json!({"description": route.summary, "content": {"*/*": {}}}),
        schema => json!({
            "description": route.summary,
            "content": {"application/json": {"schema": reference(schema)}}
        }),
    }
}

fn body(sent: Sent) -> Option<Value> {
    let json = |schema, required| json!({"required": required, "content": {"application/json": {"schema": reference(schema)}}});
    match sent {
        Sent::Nothing => None,
        Sent::Json(schema) => Some(json(schema, true)),
        Sent::Optional(schema) => Some(json(schema, false)),
        Sent::Bytes => Some(json!({"required": true, "content": {"application/octet-stream": {}}})),
    }
}

/// `GET /admin/v1/sources/{id}` is `get-sources-id`.
fn id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/admin/v1").replace(['{', '}'], "").replace(['/', '.'], "-");
    format!("{}{path}", route.method.as_str().to_lowercase())
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn schemas() -> Map<String, Value> {
    let lines = SCHEMAS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, fields) = line.split_once(':').expect("a schema has a name");
            (name.to_owned(), schema(fields.trim()))
        })
        .collect()
}

fn schema(fields: &str) -> Value {
    if fields == "any" {
        return json!({});
    }
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in fields.split(',') {
        let (name, kind) = field.trim().split_once(' ').expect("a field has a type");
        if kind.ends_with('!') {
            required.push(name);
        }
        properties.insert(name.to_owned(), kind_of(kind.trim_end_matches('!')));
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn kind_of(kind: &str) -> Value {
    if let Some(item) = kind.strip_suffix("[]") {
        return json!({"type": "array", "items": kind_of(item)});
    }
    match kind {
        "any" => json!({}),
        "string" | "integer" | "number" | "boolean" | "object" => json!({"type": kind}),
        document => reference(document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
        let mut names = BTreeSet::new();
        for route in routes::all() {
            assert!(!route.summary.is_empty(), "{} {}", route.method, route.path);
            assert!(names.insert(id(&route)), "{} is there twice", id(&route));
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let known = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name: String = text[at + 21..].chars().take_while(|c| c.is_alphanumeric()).collect();
            assert!(known.contains_key(&name), "{name} is not described");
        }
    }

    #[test]
    fn only_what_says_nothing_needs_no_token() {
        let open: Vec<&str> =
            routes::all().iter().filter(|route| route.role.is_none()).map(|route| route.path).collect();
        assert_eq!(open, ["/health", "/admin/v1/openapi.json"]);
    }

    #[test]
    fn what_changes_something_is_no_viewers_business() {
        for route in routes::all().iter().filter(|route| route.method != axum::http::Method::GET) {
            assert!(route.role >= Some(Role::Editor), "{} {}", route.method, route.path);
        }
    }
}
