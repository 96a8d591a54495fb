use crate::guests::{lasting_cache, shipped};
use pintle_runtime::destination::{Body, ConfigureError, Context, Delivery, Destination, Outcome};
use pintle_runtime::{Config, Runtime};
use serde_json::json;
use std::sync::Arc;

async fn configure(config: serde_json::Value) -> Result<Arc<Destination>, ConfigureError> {
    let limits = Config { cache_dir: Some(lasting_cache()), instances_max: 8, ..Config::default() };
    let runtime = Runtime::new(limits).unwrap();
    let plugin = runtime.destination(&shipped("webhook.wasm")).await.unwrap();
    assert_eq!(plugin.manifest().name, "webhook");
    plugin.configure(&config).await
}

#[tokio::test]
async fn the_webhook_destination_describes_a_request_per_event() {
    let webhook = configure(json!({"webhookUrl": "https://example.com/hook", "webhookMethod": "POST"})).await.unwrap();
    let message = json!({"type": "track", "event": "Order Completed", "messageId": "m1", "userId": "u1"});
    let batch =
        serde_json::to_vec(&json!([{"message": message, "metadata": {}}, {"message": message, "metadata": {}}]));
    let outcomes = webhook.transform(Context::default(), batch.unwrap(), 2).await.unwrap();
    assert_eq!(outcomes.len(), 2);
    let Outcome::Deliver(deliveries) = &outcomes[0] else { panic!("{outcomes:?}") };
    let [Delivery::Request(request)] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!(request.url, "https://example.com/hook");
    let Body::Json(body) = &request.body else { panic!("{request:?}") };
    assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
}

#[tokio::test]
async fn a_bad_configuration_is_refused_value_by_value() {
    let Err(ConfigureError::Invalid(errors)) = configure(json!({"webhookUrl": 7})).await else { panic!("it took it") };
    assert!(errors.iter().any(|error| error.path.contains("webhookUrl")), "{errors:?}");
}

#[tokio::test]
async fn a_plugin_that_miscounts_its_events_is_not_believed() {
    let webhook = configure(json!({"webhookUrl": "https://example.com/hook"})).await.unwrap();
    let failure = webhook.transform(Context::default(), b"[]".to_vec(), 1).await.unwrap_err();
    assert!(failure.to_string().contains("0 outcomes for 1 events"), "{failure}");
}
