use crate::guests::{NETWORKED, OBEDIENT, calls_seen, component, obedient, obedient_again, obey, small, wit};
use pintle_runtime::{Config, LoadError, Runtime, World};
use std::time::Duration;

async fn refusal(bytes: &[u8]) -> String {
    Runtime::new(small()).unwrap().transformation_component(bytes, &[]).await.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_component_is_known_by_what_it_exports() {
    let component = Runtime::new(small()).unwrap().component(&obedient()).await.unwrap();
    assert_eq!(component.world(), World::Transformation);
    assert_eq!(component.digest().len(), 64);
}

#[tokio::test]
async fn a_file_that_is_not_webassembly_is_refused() {
    let refusal = refusal(b"#!/bin/sh\n").await;
    assert_eq!(refusal, "this is not a WebAssembly component: the file does not start with its magic number");
}

#[tokio::test]
async fn a_core_module_is_told_to_become_a_component() {
    let refusal = refusal(&wat::parse_str("(module)").unwrap()).await;
    assert!(refusal.starts_with("this is a core WebAssembly module, not a component"), "{refusal}");
}

#[tokio::test]
async fn a_malformed_component_is_refused() {
    let mut bytes = obedient();
    bytes.truncate(bytes.len() / 2);
    let refusal = refusal(&bytes).await;
    assert!(refusal.starts_with("the component is not valid: "), "{refusal}");
}

#[tokio::test]
async fn a_component_that_imports_something_is_refused_by_name() {
    let bytes = wat::parse_str(r#"(component (import "wasi:cli/stdout@0.2.0" (instance)))"#).unwrap();
    assert_eq!(
        refusal(&bytes).await,
        "the component imports `wasi:cli/stdout@0.2.0`; plugins of this kind import nothing"
    );
}

#[tokio::test]
async fn a_transformation_may_ask_for_the_network_only_when_it_was_granted_hosts() {
    let bytes = component(&wit(), "transformation-net-plugin", NETWORKED);
    let refusal = refusal(&bytes).await;
    assert!(refusal.contains("`pintle:plugin/network`") && refusal.contains("grant"), "{refusal}");
    let runtime = Runtime::new(small()).unwrap();
    runtime.transformation_component(&bytes, &["api.example.com".to_owned()]).await.unwrap();
    let wrong = runtime.transformation_component(&bytes, &["https://a/".to_owned()]).await.map(|_| ()).unwrap_err();
    assert!(matches!(wrong, LoadError::Hosts(_)), "{wrong}");
}

#[tokio::test]
async fn a_destination_may_not_ask_for_the_network() {
    let bytes = wat::parse_str(r#"(component (import "pintle:plugin/network@0.1.0" (instance)))"#).unwrap();
    let error = Runtime::new(small()).unwrap().destination(&bytes).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("the component imports `pintle:plugin/network@0.1.0`"), "{error}");
}

#[tokio::test]
async fn a_component_of_another_world_is_refused_by_name() {
    let runtime = Runtime::new(small()).unwrap();
    let error = runtime.destination(&obedient()).await.map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the component does not export `pintle:plugin/destination@0.1.x`; \
         it exports `pintle:plugin/transformation@0.1.0`"
    );
}

#[tokio::test]
async fn a_version_that_is_compatible_runs() {
    let runtime = Runtime::new(small()).unwrap();
    for version in ["0.1.1", "0.1.17"] {
        let guest = runtime.transformation_component(&of_version(version), &[]).await.unwrap();
        assert_eq!(calls_seen(&guest).await, "1", "{version}");
    }
}

#[tokio::test]
async fn a_version_that_is_not_compatible_is_refused_with_those_that_are() {
    for version in ["0.2.0", "1.1.0", "0.10.1", "0.1.1-rc.1"] {
        assert_eq!(
            refusal(&of_version(version)).await,
            format!(
                "the component does not export `pintle:plugin/transformation@0.1.x`; \
                 it exports `pintle:plugin/transformation@{version}`"
            )
        );
    }
}

fn of_version(version: &str) -> Vec<u8> {
    let replaced = |text: &str| text.replace("@0.1.0", &format!("@{version}"));
    component(&replaced(&wit()), "transformation-plugin", &replaced(OBEDIENT))
}

#[tokio::test]
async fn an_interface_of_the_right_name_and_the_wrong_shape_is_refused() {
    let wit = "package pintle:plugin@0.1.0;
        interface transformation { transform: func(number: u32) -> u32; }
        world w { export transformation; }";
    let module = r#"(module (func (export "pintle:plugin/transformation@0.1.0#transform") (param i32) (result i32) local.get 0))"#;
    let refusal = refusal(&component(wit, "w", module)).await;
    assert!(refusal.starts_with("the component's `pintle:plugin/transformation@0.1.0` does not fit: "), "{refusal}");
}

#[tokio::test]
async fn a_component_that_starts_with_more_memory_than_it_may_have_is_refused() {
    let module = OBEDIENT.replace(r#"(memory (export "memory") 2)"#, r#"(memory (export "memory") 1024)"#);
    let bytes = component(&wit(), "transformation-plugin", &module);
    let refusal = refusal(&bytes).await;
    assert!(refusal.contains("memory"), "{refusal}");
}

#[tokio::test]
async fn a_component_that_is_too_large_is_refused_unread() {
    let runtime = Runtime::new(Config { component_bytes_max: 100, ..small() }).unwrap();
    let bytes = obedient();
    let refused = runtime.component(&bytes).await.unwrap_err();
    assert_eq!(refused, LoadError::TooLarge { bytes: bytes.len(), max: 100 });
}

#[tokio::test]
async fn a_component_that_finds_no_room_to_be_tried_is_not_blamed() {
    let limits = Config { instances_max: 1, instance_wait_max: Duration::from_millis(50), ..small() };
    let runtime = Runtime::new(Config { run_time_max: Duration::from_secs(20), ..limits }).unwrap();
    let first = runtime.transformation_component(&obedient(), &[]).await.unwrap();
    let other = obedient_again(1);
    {
        let mut busy = std::pin::pin!(obey(&first, "L"));
        tokio::select! {
            biased;
            answer = busy.as_mut() => panic!("it should loop until it is dropped: {answer:?}"),
            second = runtime.transformation_component(&other, &[]) => {
                assert_eq!(second.map(|_| ()).unwrap_err(), LoadError::Busy);
            }
        }
    }
    runtime.transformation_component(&other, &[]).await.unwrap();
}
