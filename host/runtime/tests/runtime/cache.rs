use crate::guests::{calls_seen, obedient, obedient_again, obey, small};
use pintle_runtime::{Config, Precompiler, Runtime};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

fn with_cache(directory: &Path) -> Runtime {
    Runtime::new(Config { cache_dir: Some(directory.to_owned()), ..small() }).unwrap()
}

async fn works(runtime: &Runtime, bytes: &[u8]) {
    let guest = runtime.transformation_component(bytes, &[]).await.unwrap();
    assert_eq!(calls_seen(&guest).await, "1");
}

/// Gives one component's compiled code the name of another's.
fn exchange(directory: &Path, from: &str, to: &str) {
    let file = |digest: &str, extension: &str| {
        let found = files(directory, extension);
        found.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(digest)).unwrap()
    };
    for extension in ["cwasm", "sha256"] {
        fs::copy(file(from, extension), file(to, extension)).unwrap();
    }
}

#[tokio::test]
async fn the_next_start_maps_what_was_compiled() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let first = with_cache(&path);
    let (one, two) = (obedient(), obedient_again(7));
    let one_digest = first.component(&one).await.unwrap().digest();
    let two_digest = first.component(&two).await.unwrap().digest();
    assert_eq!(files(&path, "cwasm").len(), 2);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);

    let before: Vec<_> = files(&path, "cwasm").iter().map(|file| fs::metadata(file).unwrap().ino()).collect();
    works(&with_cache(&path), &one).await;
    let after: Vec<_> = files(&path, "cwasm").iter().map(|file| fs::metadata(file).unwrap().ino()).collect();
    assert_eq!(before, after);

    // The proof that the file is used: with another component's code in it, that component runs.
    let trap = crate::guests::component(
        &crate::guests::wit(),
        "transformation-plugin",
        &crate::guests::OBEDIENT.replace("(local $order i32)", "(local $order i32) (unreachable)"),
    );
    let trap_digest = first.component(&trap).await.unwrap().digest();
    exchange(&path, &trap_digest, &two_digest);
    let guest = with_cache(&path).transformation_component(&two, &[]).await.unwrap();
    obey(&guest, "?").await.unwrap_err();
    assert_ne!(one_digest, two_digest);
}

#[tokio::test]
async fn a_broken_file_is_compiled_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let bytes = obedient();
    works(&with_cache(path), &bytes).await;
    let (code, checksum) = (files(path, "cwasm").remove(0), files(path, "sha256").remove(0));
    let whole = fs::read(&code).unwrap();
    let breaks: [&dyn Fn(); 5] = [
        &|| fs::write(&code, &whole[..whole.len() / 2]).unwrap(),
        &|| {
            let mut bytes = whole.clone();
            bytes[whole.len() / 2] ^= 1;
            fs::write(&code, bytes).unwrap();
        },
        &|| fs::write(&checksum, "nonsense").unwrap(),
        &|| fs::remove_file(&checksum).unwrap(),
        &|| fs::remove_file(&code).unwrap(),
    ];
    for (number, make_broken) in breaks.iter().enumerate() {
        make_broken();
        works(&with_cache(path), &bytes).await;
        assert_eq!(fs::read(&code).unwrap().len(), whole.len(), "break {number}");
        // And it is whole again: the next start uses it as it is.
        let before = fs::metadata(&code).unwrap().ino();
        works(&with_cache(path), &bytes).await;
        assert_eq!(fs::metadata(&code).unwrap().ino(), before, "break {number}");
    }
}

#[tokio::test]
async fn code_of_another_engine_with_a_right_checksum_is_compiled_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let bytes = obedient();
    works(&with_cache(path), &bytes).await;
    let (code, checksum) = (files(path, "cwasm").remove(0), files(path, "sha256").remove(0));
    // What a release with other settings would have written, under our name.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Config { cache_dir: Some(elsewhere.path().to_owned()), wasm_stack_bytes: 256 << 10, ..small() };
    let foreign = Precompiler::open(&other, elsewhere.path()).unwrap().add(&obedient_again(3)).unwrap();
    let mut broken = fs::read(foreign).unwrap();
    broken.truncate(64);
    fs::write(&code, &broken).unwrap();
    let sum = sha256(&broken);
    fs::write(&checksum, sum).unwrap();
    works(&with_cache(path), &bytes).await;
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_package_brings_compiled_code_for_any_machine() {
    let directory = tempfile::tempdir().unwrap();
    let (mute, bytes) = (obedient_again(9), obedient());
    let trap = crate::guests::component(
        &crate::guests::wit(),
        "transformation-plugin",
        &crate::guests::OBEDIENT.replace("(local $order i32)", "(local $order i32) (unreachable)"),
    );
    let path = directory.path();
    let mut precompiler = Precompiler::open(&small(), path).unwrap();
    for component in [&mute, &trap, &bytes] {
        precompiler.add(component).unwrap();
    }
    precompiler.finish().unwrap();
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o755, "whoever runs it reads it");
    exchange(path, &sha256(&trap), &sha256(&mute));
    let packaged = || Config { precompiled_dirs: vec![path.to_owned()], ..small() };
    let runtime = Runtime::new(packaged()).unwrap();
    works(&runtime, &bytes).await;
    let guest = runtime.transformation_component(&mute, &[]).await.unwrap();
    obey(&guest, "?").await.unwrap_err();

    // Where others may write, nothing is believed.
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    works(&Runtime::new(packaged()).unwrap(), &mute).await;
}

#[test]
fn what_is_compiled_ahead_stays_and_what_nobody_needs_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let run = |components: &[Vec<u8>]| {
        let mut precompiler = Precompiler::open(&small(), path).unwrap();
        let made: Vec<_> = components.iter().map(|bytes| precompiler.add(bytes).unwrap()).collect();
        precompiler.finish().unwrap();
        made
    };
    let first = run(&[obedient(), obedient_again(1)]);
    let before = fs::metadata(&first[0]).unwrap().ino();
    assert_eq!(run(&[obedient()]), first[..1]);
    assert_eq!(fs::metadata(&first[0]).unwrap().ino(), before);
    assert_eq!(files(path, "cwasm"), first[..1]);
    assert_eq!(files(path, "sha256").len(), 1);
}

#[tokio::test]
async fn the_longest_unused_files_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    works(&with_cache(path), &obedient()).await;
    let one = fs::metadata(files(path, "cwasm").remove(0)).unwrap().len();
    let limits = Config { cache_dir: Some(path.to_owned()), cache_bytes_max: one * 2, ..small() };
    let runtime = Runtime::new(limits).unwrap();
    for number in 0..4 {
        works(&runtime, &obedient_again(number)).await;
    }
    assert_eq!(files(path, "cwasm").len(), files(path, "sha256").len());
    assert!(files(path, "cwasm").len() <= 2, "{:?}", files(path, "cwasm"));
    assert!(files(path, "tmp").is_empty());
}

#[tokio::test]
async fn a_component_that_many_ask_for_is_compiled_once() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = with_cache(directory.path());
    let bytes = obedient();
    let all = (0..8).map(|_| {
        let (runtime, bytes) = (runtime.clone(), bytes.clone());
        tokio::spawn(async move { runtime.component(&bytes).await.unwrap().digest() })
    });
    let mut digests = Vec::new();
    for one in all.collect::<Vec<_>>() {
        digests.push(one.await.unwrap());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1);
    // A second compilation would have replaced the file; there is one link and one file.
    assert_eq!(files(directory.path(), "cwasm").len(), 1);
}

#[tokio::test]
async fn a_cache_directory_that_cannot_be_made_stops_the_start_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let error = Runtime::new(Config { cache_dir: Some(path), ..small() }).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("/file: "), "{error}");
}
