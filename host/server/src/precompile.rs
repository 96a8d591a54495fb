//! `pintle precompile`: compiles the plugins ahead of time, for a package.

use anyhow::Context;
use pintle_cli::{PrecompileArgs, plugins_dir};
use pintle_runtime::Precompiler;

/// Compiles every plugin of the folder for any machine of this architecture; what was compiled before stays.
pub fn run(args: &PrecompileArgs) -> anyhow::Result<()> {
    let folder = plugins_dir::find(args.plugins_dir.as_deref()).map_err(anyhow::Error::msg)?;
    let mut precompiler = Precompiler::open(&pintle_runtime::Config::default(), &args.out)?;
    for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
            let made = precompiler.add(&bytes).with_context(|| format!("cannot compile {}", path.display()))?;
            eprintln!("{} → {}", path.display(), made.display());
        }
    }
    precompiler.finish()?;
    Ok(())
}
