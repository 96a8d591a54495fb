//! `object_store` over the router's connections: the addresses that are closed to deliveries are closed to
//! buckets.

use crate::config::Config;
use http_body_util::{BodyExt as _, Full};
use hyper::Method;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use pintle_router::http::Unanswered;
use std::pin::Pin;
use std::time::Duration;

/// Bytes of an answer that are read: a piece of an object, a page of a listing, an error.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Makes the clients that `object_store` asks for.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    client: pintle_router::HttpClient,
    /// How long an upload may take, and how long anything else.
    upload: Duration,
    read: Duration,
}

impl Connection {
    pub(crate) fn new(client: pintle_router::HttpClient, config: &Config) -> Connection {
        Connection { client, upload: config.upload_timeout, read: config.read_timeout }
    }
}

impl HttpConnector for Connection {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Connection {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let limit = match head.method {
                Method::GET | Method::HEAD => ("read-timeout", self.read),
                _ => ("upload-timeout", self.upload),
            };
            let request = hyper::Request::from_parts(head, body);
            let answer = self.client.pass(request, limit, ANSWER_BYTES_MAX).await.map_err(failed)?;
            let (head, body) = answer.into_parts();
            let body = Full::new(body).map_err(|never| match never {});
            Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
        })
    }
}

fn failed(unanswered: Unanswered) -> HttpError {
    let kind = match &unanswered {
        Unanswered::TimedOut { .. } => HttpErrorKind::Timeout,
        Unanswered::Network(_) => HttpErrorKind::Connect,
        Unanswered::Malformed(_) | Unanswered::Forbidden(_) => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, unanswered)
}
