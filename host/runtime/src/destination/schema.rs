//! Configurations against the JSON Schema of a manifest: every mistake with its place, and never a value, which
//! may be a secret.

use super::ConfigError;
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Mistakes that are told of one configuration, at most.
const MISTAKES_MAX: usize = 50;

/// A schema that is ready to check configurations. References to other documents are not followed.
#[derive(Clone)]
pub(super) struct Schema(Arc<Validator>);

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

impl Schema {
    /// Prepares a schema, or says where it is none.
    pub(super) fn compile(document: &Value) -> Result<Schema, String> {
        match jsonschema::validator_for(document) {
            Ok(validator) => Ok(Schema(Arc::new(validator))),
            Err(error) => Err(format!("`config{}` is no JSON Schema: {error}", error.instance_path().as_str())),
        }
    }

    /// Everything that is wrong with a configuration, in the order in which the schema says it.
    pub(super) fn check(&self, config: &Value) -> Vec<ConfigError> {
        let errors = self.0.iter_errors(config).filter(|error| !refers(error.instance()));
        errors
            .flat_map(|error| sentences(error.instance_path().as_str(), error.kind(), &error))
            .take(MISTAKES_MAX)
            .collect()
    }
}

/// A reference such as `${env:TOKEN}` has no value yet: any text may come of it.
fn refers(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("${env:") || text.contains("${file:"))
}

fn sentences(path: &str, kind: &ValidationErrorKind, error: &jsonschema::ValidationError<'_>) -> Vec<ConfigError> {
    let at = |path: &str, message: String| ConfigError { path: path.to_owned(), message };
    let member = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
    let message = match kind {
        ValidationErrorKind::Required { property } => {
            return vec![at(&member(property.as_str().unwrap_or_default()), "is required".to_owned())];
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let told = |name: &String| at(&member(name), "is not a setting of this plugin".to_owned());
            return unexpected.iter().map(told).collect();
        }
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => {
            format!("must be {}", with_article(&kind.to_string()))
        }
        ValidationErrorKind::Type { kind: TypeKind::Multiple(kinds) } => {
            let kinds: Vec<String> = kinds.iter().map(|kind| with_article(&kind.to_string())).collect();
            format!("must be {}", kinds.join(" or "))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
            format!("must be one of {}", options.join(", "))
        }
        ValidationErrorKind::Constant { expected_value } => format!("must be {}", plain(expected_value)),
        ValidationErrorKind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        ValidationErrorKind::Format { format } => format!("must be of the form `{format}`"),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} entries"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} entries"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        // The value is masked: the schema's own words are all that is left.
        _ => error.masked_with("it").to_string(),
    };
    vec![at(path, message)]
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" => "null".to_owned(),
        "array" => "a list".to_owned(),
        "integer" => "a whole number".to_owned(),
        "object" => "a map".to_owned(),
        kind => format!("a {kind}"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
