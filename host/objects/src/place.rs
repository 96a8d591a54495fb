//! Where objects are kept, as a configuration says it.

use serde_json::Value;
use std::path::PathBuf;

/// The region that counts when none is named: compatible servers do not mind.
const REGION: &str = "us-east-1";

/// A server with buckets, or a folder whose folders stand for buckets.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A server that speaks S3.
    Server(Server),
    /// A folder of this machine.
    Folder(PathBuf),
}

/// A server that speaks S3.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Its address; none is Amazon's.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    /// An access key and its secret; without, the rights are those of the role that the machine runs with.
    pub(crate) keys: Option<(String, String)>,
    /// Whether the server is asked to encrypt with keys of its own.
    pub(crate) encrypts: bool,
}

/// What is wrong with a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}")]
pub struct Invalid {
    /// The key of the configuration.
    pub key: &'static str,
    /// What is wrong with it and how to mend it.
    pub problem: String,
}

impl Place {
    /// Reads the configuration of a plugin whose wire is `objects`: `endpoint`, `region`, `accessKeyID`,
    /// `accessKey`, `roleBasedAuth`, `iamRoleARN`, `enableSSE`.
    ///
    /// # Errors
    /// [`Invalid`] names the key.
    pub fn read(config: &Value) -> Result<Place, Invalid> {
        let text = |key: &str| config[key].as_str().unwrap_or_default().trim().to_owned();
        let endpoint = text("endpoint");
        if let Some(path) = endpoint.strip_prefix("file://") {
            let path = PathBuf::from(path);
            if !path.is_absolute() {
                let problem = "must be written file:///path, with the path from the root".to_owned();
                return Err(Invalid { key: "endpoint", problem });
            }
            return Ok(Place::Folder(path));
        }
        let (id, secret) = (text("accessKeyID"), text("accessKey"));
        let keys = (!id.is_empty()).then_some((id, secret));
        if keys.is_none() && !text("iamRoleARN").is_empty() {
            let problem = "names a role to take on, which Pintle cannot do: give `accessKeyID` and `accessKey`, or \
                           leave it out and let the machine's own role have the rights";
            return Err(Invalid { key: "iamRoleARN", problem: problem.to_owned() });
        }
        let region = Some(text("region")).filter(|region| !region.is_empty());
        Ok(Place::Server(Server {
            endpoint: Some(endpoint.trim_end_matches('/').to_owned()).filter(|endpoint| !endpoint.is_empty()),
            region: region.unwrap_or_else(|| REGION.to_owned()),
            keys,
            encrypts: matches!(&config["enableSSE"], Value::Bool(true)) || text("enableSSE") == "true",
        }))
    }
}

/// Without the secret.
impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_string())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Folder(path) => write!(f, "{}", path.display()),
            Place::Server(Server { endpoint: Some(endpoint), .. }) => f.write_str(endpoint),
            Place::Server(Server { endpoint: None, region, .. }) => write!(f, "https://s3.{region}.amazonaws.com"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_a_folder_and_amazon_are_told_apart_and_no_secret_is_shown() {
        let server =
            Place::read(&json!({"endpoint": "http://h:1/", "accessKeyID": "k", "accessKey": "hidden"})).unwrap();
        assert_eq!(format!("{server:?} {server}"), "http://h:1 http://h:1");
        assert_eq!(Place::read(&json!({"endpoint": "file:///var/e"})).unwrap(), Place::Folder("/var/e".into()));
        assert_eq!(Place::read(&json!({})).unwrap().to_string(), "https://s3.us-east-1.amazonaws.com");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let error = Place::read(&json!({"endpoint": "file://relative"})).unwrap_err();
        assert!(error.to_string().contains("file:///path"), "{error}");
        let error = Place::read(&json!({"iamRoleARN": "arn:aws:iam::1:role/x"})).unwrap_err();
        assert_eq!(error.key, "iamRoleARN");
    }
}
