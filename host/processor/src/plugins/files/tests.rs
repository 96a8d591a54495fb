use super::*;
use pintle_runtime::Config;
use std::path::Path;

/// Where `scripts/build-plugins` puts what it has built.
fn built() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = workspace.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into())).join("plugins");
    std::env::var_os("PINTLE_PLUGINS_DIR").map_or(target, PathBuf::from)
}

#[tokio::test]
async fn the_engine_is_read_once_and_a_failure_is_not_kept() {
    let folder = std::env::temp_dir().join(format!("pintle-plugins-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // Compiled ahead where `scripts/test` has run: compiling the engine takes long.
    let config = Config { precompiled_dirs: vec![built().join("compiled")], ..Config::default() };
    let files = Files::new(Runtime::new(config).unwrap(), folder.clone());
    let file = folder.join("javascript-engine.wasm");

    let missing = files.engine(Language::JavaScript, false).await.map(|_| ()).unwrap_err();
    assert!(matches!(missing, Error::Missing { .. }), "{missing}");
    std::fs::write(&file, "no component").unwrap();
    let misfit = files.engine(Language::JavaScript, false).await.map(|_| ()).unwrap_err();
    assert!(matches!(misfit, Error::Load { .. }), "{misfit}");

    let source = built().join("javascript-engine.wasm");
    std::fs::copy(&source, &file).unwrap_or_else(|e| panic!("{}: {e}; run scripts/build-plugins", source.display()));
    let first = files.engine(Language::JavaScript, false).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let second = files.clone().engine(Language::JavaScript, false).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}
