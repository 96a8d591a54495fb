//! Revisions, code and keys on a real Postgres.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]
// What the other suite of this crate needs of a cluster, this one does not.
#![allow(dead_code, reason = "the cluster is shared with the log's suite")]

mod cluster;

use cluster::Cluster;
use pintle_catalog::{Catalog, Source};
use pintle_store::artifacts::Artifacts;
use pintle_store::revisions::{self, Note};
use pintle_store::seal::{SecretKey, Vault};
use pintle_store::{Config, Error, Store, rotation, tokens};
use std::collections::BTreeMap;

const NOTE: Note<'static> = Note { author: "ann", reason: "spring", changes: "source added" };

fn key() -> SecretKey {
    SecretKey::parse(&SecretKey::make()).unwrap()
}

fn with_source(before: &Catalog, id: &str) -> Catalog {
    let mut catalog = before.clone();
    let source = Source { name: id.into(), write_key: format!("key-{id}"), ..Source::default() };
    catalog.sources.insert(id.into(), source);
    catalog
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_revisions_with_the_same_predecessor_one_is_stored() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Config::default()).await.unwrap();
    let key = key();
    let empty = Catalog::default();
    let (one, two) = (with_source(&empty, "one"), with_source(&empty, "two"));
    let heads = BTreeMap::new();
    let (first, second) = tokio::join!(
        revisions::apply(&store, &key, &empty, &one, NOTE, &heads),
        revisions::apply(&store, &key, &empty, &two, NOTE, &heads)
    );
    let (stored, refused) = if first.is_ok() { (first, second) } else { (second, first) };
    assert!(matches!(refused, Err(Error::Superseded)), "{refused:?}");
    let stored = stored.unwrap();
    assert_eq!(revisions::head(&store).await.unwrap(), stored);
    let (current, revision) = revisions::current(&store, &key).await.unwrap();
    assert_eq!((current.revision, current.sources.len()), (stored, 1));
    assert_eq!(revision.unwrap().author, "ann");
    let next = with_source(&current, "three");
    let newest = revisions::apply(&store, &key, &current, &next, NOTE, &heads).await.unwrap();
    assert_eq!(revisions::get(&store, &key, stored).await.unwrap().unwrap().0.sources.len(), 1);
    let listed = revisions::list(&store, Some(newest), 10).await.unwrap();
    assert_eq!(listed.iter().map(|revision| revision.id).collect::<Vec<_>>(), [stored]);
    store.close().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_leaves_nothing_that_the_old_key_opens() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Config::default()).await.unwrap();
    let (old, new) = (key(), key());
    rotation::check(&store, &old).await.unwrap();
    let artifacts = Artifacts::new(store.clone(), Vault::new(old.clone()));
    let digest = artifacts.put(b"let a;").await.unwrap();
    assert_eq!(artifacts.put(b"let a;").await.unwrap(), digest);
    let catalog = with_source(&Catalog::default(), "one");
    revisions::apply(&store, &old, &Catalog::default(), &catalog, NOTE, &BTreeMap::new()).await.unwrap();

    let wrong = rotation::rotate(&store, &new, &old).await.unwrap_err().to_string();
    assert!(wrong.contains(old.id()) && wrong.contains(new.id()), "{wrong}");
    let rotated = rotation::rotate(&store, &old, &new).await.unwrap();
    assert_eq!((rotated.revisions, rotated.artifacts), (1, 1));
    assert!(revisions::current(&store, &old).await.is_err());
    let (current, _) = revisions::current(&store, &new).await.unwrap();
    assert_eq!(current.sources.len(), 1);
    let fresh = Artifacts::new(store.clone(), Vault::new(new.clone()));
    assert_eq!(&fresh.get(&digest).await.unwrap()[..], b"let a;");
    assert!(fresh.get("nothing").await.is_err());
    assert!(Artifacts::new(store.clone(), Vault::new(old.clone())).get(&digest).await.is_err());
    // Who slept through the rotation cannot write what nobody can open.
    let late = revisions::apply(&store, &old, &current, &with_source(&current, "two"), NOTE, &BTreeMap::new()).await;
    assert!(matches!(late, Err(Error::Superseded)), "{late:?}");
    let named = rotation::check(&store, &old).await.unwrap_err().to_string();
    assert!(named.contains(new.id()) && named.contains(old.id()), "{named}");
    store.close().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_found_by_its_secret_until_it_is_revoked() {
    let cluster = Cluster::start().await;
    let store = Store::open(cluster.options(), Config::default()).await.unwrap();
    assert!(!tokens::any(&store).await.unwrap());
    let (token, secret) = tokens::create(&store, "ci", "editor", "ann").await.unwrap();
    assert!(secret.starts_with("pintle_") && tokens::any(&store).await.unwrap());
    assert_eq!(tokens::find(&store, &secret).await.unwrap(), Some(token.clone()));
    assert_eq!(tokens::find(&store, &token.id).await.unwrap(), None);
    assert!(tokens::revoke(&store, &token.id).await.unwrap() && !tokens::revoke(&store, "x").await.unwrap());
    assert_eq!(tokens::find(&store, &secret).await.unwrap(), None);
    assert!(!tokens::any(&store).await.unwrap());
    assert_eq!(tokens::list(&store).await.unwrap().len(), 1);
    store.close().await;
    cluster.stop().await;
}
