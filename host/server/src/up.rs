//! `pintle up`: builds everything, waits for a signal, takes it down again.

use crate::bench::Bench;
use crate::config::Config;
use crate::plant::{self, Parts};
use crate::workspace::{self, Workspace};
use crate::{keys, logging, own_plugins};
use anyhow::{Context, anyhow};
use pintle_cli::plugins_dir;
use pintle_control::{Admin, Editor, Office, Tools, tls};
use pintle_gateway::{Gateway, Sink};
use pintle_processor::{Files, Journal, Plugins, Supervisor, runner};
use pintle_router::{Fetcher, Paces, Trust};
use pintle_runtime::Runtime;
use pintle_store::artifacts::Artifacts;
use pintle_store::embedded::Postgres;
use pintle_store::lease::Lease;
use pintle_store::ledger::Auditor;
use pintle_store::log::{Log, Services};
use pintle_store::rejected::Recorder;
use pintle_store::settle::Settlement;
use pintle_store::suppressions::Suppressions;
use pintle_store::traces::Tracer;
use pintle_store::{Store, revisions};
use sqlx::postgres::PgConnectOptions;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Destinations of one's own, in the data directory: one .wasm file each.
const OWN_PLUGINS: &str = "plugins";

/// Serves until a signal or a failure that makes going on pointless.
pub fn run(config: Config) -> anyhow::Result<()> {
    logging::start(config.log_json);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all();
    if let Some(threads) = config.worker_threads {
        runtime.worker_threads(threads.get());
    }
    runtime.build().context("cannot start the runtime")?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    if let Some(point) = &config.fail_point {
        pintle_store::fail_point::arm(point).map_err(|error| anyhow!("PINTLE_FAIL_POINT: {error}"))?;
    }
    let started = Instant::now();
    // Listened for from the start: a signal during a slow start must stop it, not kill it half-made.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut stop = std::pin::pin!(async {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    });
    let data_dir = config.data_dir();
    make_data_dir(&data_dir).with_context(|| format!("cannot make the data directory {}", data_dir.display()))?;
    let postgres = tokio::select! {
        () = &mut stop => return Ok(()),
        postgres = start_postgres(&config, &data_dir) => postgres?,
    };
    let result = match Plants::build(&config, &data_dir, postgres.as_ref(), started).await {
        Ok(mut plants) => {
            let result = tokio::select! {
                () = &mut stop => {
                    tracing::info!("stopping");
                    Ok(())
                }
                failed = plants.first_end() => failed,
            };
            plants.take_down().await;
            result
        }
        Err(error) => Err(error),
    };
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    tracing::info!("stopped");
    result
}

/// Makes the folder, for us alone. As root others may pass through it, and see nothing: where user namespaces
/// are not to be had, the private Postgres runs as a user of its own, who must get at its folder in here. All
/// that is secret in here is closed by its own mode.
fn make_data_dir(path: &Path) -> std::io::Result<()> {
    // SAFETY: only returns a number.
    let is_root = unsafe { libc::geteuid() == 0 };
    std::fs::DirBuilder::new().recursive(true).mode(if is_root { 0o711 } else { 0o700 }).create(path)
}

async fn start_postgres(config: &Config, data_dir: &Path) -> anyhow::Result<Option<Postgres>> {
    if config.database_url.is_some() {
        return Ok(None);
    }
    let embedded = pintle_store::embedded::Config { data_dir: data_dir.join("postgres"), ..config.postgres.clone() };
    Ok(Some(Postgres::start(embedded).await?))
}

/// Everything that runs.
struct Plants {
    store: Store,
    lease: Lease,
    log: Log,
    /// Each is stopped in its turn: what feeds goes before what is fed.
    gateway: Service,
    side: Service,
    lanes: Service,
    processor: Service,
    flusher: Service,
    lease_keeper: Service,
}

/// Tasks that stop together.
struct Service {
    name: &'static str,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Service {
    fn new(name: &'static str) -> Service {
        Service { name, stop: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// Waits for a task to end, which none should before it is told to.
    async fn first_end(&mut self) -> anyhow::Result<()> {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => Err(error.context(format!("the {} failed", self.name))),
            Some(Ok(Ok(()))) => Err(anyhow!("the {} ended", self.name)),
            Some(Err(error)) => Err(anyhow!("the {} crashed: {error}", self.name)),
            None => std::future::pending().await,
        }
    }

    async fn take_down(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Ok(Err(error)) = ended {
                tracing::warn!(%error, service = self.name, "did not end cleanly");
            }
        }
    }
}

impl Plants {
    async fn build(
        config: &Config,
        data_dir: &Path,
        postgres: Option<&Postgres>,
        started: Instant,
    ) -> anyhow::Result<Plants> {
        let metrics = pintle_control::metrics_handle().context("cannot set up metrics")?;
        let options = match (postgres, &config.database_url) {
            (Some(postgres), _) => postgres.connect_options(),
            (None, Some(url)) => url.parse::<PgConnectOptions>().context("--database-url is not a Postgres URL")?,
            (None, None) => unreachable!("without a URL a private Postgres was started"),
        };
        let store = Store::open(options, config.store.clone()).await.context("cannot open the database")?;
        let version = store.server_version().await?;
        let alone = postgres.is_some();
        let lease = Lease::acquire(&store, alone).await?;
        let (settlement, flusher) = Settlement::new(store.clone(), lease);
        let disk = postgres.map(|postgres| postgres.cluster_dir().to_owned());
        let (log, mut services) = Log::open(&store, lease, &settlement, disk).await?;
        let (vault, keys) = keys::open(config, data_dir, &store).await?;
        let (current, _) = revisions::current(&store, &vault.key()).await?;
        let (catalog_sender, catalog) = watch::channel(Arc::new(current));
        let artifacts = Artifacts::new(store.clone(), vault.clone());
        let (fresh, attempts_allowed) = watch::channel(true);

        let folder = plugins_dir::find(config.plugins_dir.as_deref()).map_err(anyhow::Error::msg)?;
        let own = data_dir.join(OWN_PLUGINS);
        std::fs::create_dir_all(&own).with_context(|| own.display().to_string())?;
        let fetcher = Fetcher::new(config.fetch.clone(), config.router.egress_allow.clone());
        let runtime = Runtime::with_network(runtime_config(config, data_dir, &folder), Arc::new(fetcher))?;
        let files = Files::new(runtime, folder).with_own(own);
        let plugins = Plugins::new(files.clone(), artifacts.clone());
        let known = files.clone();
        let editor = Editor::new(Tools {
            store: store.clone(),
            vault,
            artifacts,
            log: log.clone(),
            plugins: Box::new(move || known.destinations()),
            file: config.workspace.clone(),
            catalog: catalog_sender,
        });
        let file_state = Arc::new(workspace::State::default());
        let mut side = Service::new("workspace file, plugins folder, tail, auditor or janitor");
        if let Some(path) = &config.workspace {
            let workspace = Workspace {
                path: path.clone(),
                plugins: files.clone(),
                editor: editor.clone(),
                state: file_state.clone(),
            };
            let watched = workspace.start().await?;
            let stop = side.stop.clone();
            side.tasks.spawn(async move {
                workspace.follow(watched, stop).await;
                Ok(())
            });
        }
        let followed = own_plugins::follow(files, editor.clone(), side.stop.clone());
        side.tasks.spawn(async move {
            followed.await;
            Ok(())
        });
        let suppressions = Suppressions::load(&store).await?;
        let (tracer, traces) = Tracer::new(&store, config.trace.clone());
        tracer.load(&store).await?;
        if !alone {
            let followed = tracer.clone().follow(store.clone(), side.stop.clone());
            side.tasks.spawn(async move {
                followed.await;
                Ok(())
            });
            let followed = suppressions.clone().follow(store.clone(), side.stop.clone());
            side.tasks.spawn(async move {
                followed.await;
                Ok(())
            });
            let (followed, stop) = (editor.clone(), side.stop.clone());
            side.tasks.spawn(async move {
                followed.follow(stop).await;
                Ok(())
            });
        }
        let parts = runner::Parts {
            journal: Journal::new(&config.processor),
            config: config.processor.clone(),
            router: config.router.clone(),
            trust: Trust::load(&config.router).context("router")?,
            paces: Paces::default(),
            objects: config.objects.clone(),
            archive: config.archive.clone(),
            store: store.clone(),
            log: log.clone(),
            settlement,
            plugins: plugins.clone(),
            suppressions: suppressions.clone(),
            tracer: tracer.clone(),
            catalog: catalog.clone(),
            attempts_allowed,
        };
        let (supervisor, processor_handle) = Supervisor::new(parts, catalog.clone());
        let bench = Arc::new(Bench::new(processor_handle.clone(), plugins));
        let office = Office { editor, workshop: bench, keys, suppressions: suppressions.clone(), tracer };
        let tail = Parts::tail_channel();
        let plant = Arc::new(Parts {
            store: store.clone(),
            log: log.clone(),
            processor: processor_handle,
            catalog: catalog.clone(),
            workspace: config.workspace.clone(),
            file_state,
            postgres: match (postgres, alone) {
                (Some(_), _) => format!("embedded {version}"),
                _ => version,
            },
            started,
            trace: config.trace.clone(),
            tail: tail.clone(),
        });
        let admin = Admin::bind(config.admin.clone(), plant, metrics).await?.with_office(office);
        let (recorder, recorded) = Recorder::new(store.clone());
        let stop = side.stop.clone();
        side.tasks.spawn(async move {
            recorded.run(stop).await;
            Ok(())
        });
        let stop = side.stop.clone();
        side.tasks.spawn(async move {
            traces.run(stop).await;
            Ok(())
        });
        let tls = match (&config.gateway.tls_certificate, &config.gateway.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(tls::load(certificate, key, &["h2", "http/1.1"]).context("gateway: tls-certificate")?)
            }
            _ => None,
        };
        let sink = Sink { log: log.clone(), recorder, suppressions };
        let gateway_service = Gateway::bind(config.gateway.clone(), catalog, sink, tls).await?;
        let (listen, admin_listen) = (gateway_service.local_addr(), admin.address());

        let mut flusher_service = Service::new("cursor writer");
        let stop = flusher_service.stop.clone();
        flusher_service.tasks.spawn(async move { Ok(flusher.run(stop).await?) });
        let mut lanes = Service::new("log writer");
        let writers = services.take_lanes();
        lanes.tasks.spawn(async move { Ok(Services::run_lanes(writers).await?) });
        let (stop, auditor) = (side.stop.clone(), Auditor::new(store.clone()));
        side.tasks.spawn(async move {
            auditor.run(stop).await;
            Ok(())
        });
        let stop = side.stop.clone();
        side.tasks.spawn(async move {
            services.janitor.run(stop).await;
            Ok(())
        });
        let (stop, followed) = (side.stop.clone(), log.clone());
        side.tasks.spawn(async move {
            plant::feed_tail(followed, tail, stop).await;
            Ok(())
        });
        let stop = side.stop.clone();
        side.tasks.spawn(async move { Ok(admin.run(stop).await?) });
        let mut processor = Service::new("processor");
        let stop = processor.stop.clone();
        processor.tasks.spawn(async move { Ok(supervisor.run(stop).await?) });
        let mut lease_keeper = Service::new("lease");
        if !alone {
            let (stop, kept) = (lease_keeper.stop.clone(), store.clone());
            lease_keeper.tasks.spawn(async move { Ok(lease.keep(kept, fresh, stop).await?) });
        } else {
            // Nobody else can reach a private Postgres: there is nothing to beat for.
            let stop = lease_keeper.stop.clone();
            lease_keeper.tasks.spawn(async move {
                stop.cancelled().await;
                drop(fresh);
                Ok(())
            });
        }
        let mut gateway = Service::new("gateway");
        let stop = gateway.stop.clone();
        gateway.tasks.spawn(async move {
            gateway_service.run(stop).await;
            Ok(())
        });
        tracing::info!(%listen, admin = %admin_listen, took = ?started.elapsed(), "pintle is up");
        Ok(Plants { store, lease, log, gateway, side, lanes, processor, flusher: flusher_service, lease_keeper })
    }

    /// The first thing that ends although nobody told it to.
    async fn first_end(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            end = self.gateway.first_end() => end,
            end = self.side.first_end() => end,
            end = self.lanes.first_end() => end,
            end = self.processor.first_end() => end,
            end = self.flusher.first_end() => end,
            end = self.lease_keeper.first_end() => end,
        }
    }

    async fn take_down(mut self) {
        self.gateway.take_down().await;
        self.log.close();
        self.lanes.take_down().await;
        self.processor.take_down().await;
        self.flusher.take_down().await;
        self.side.take_down().await;
        self.lease_keeper.take_down().await;
        if let Err(error) = self.lease.release(&self.store).await {
            tracing::warn!(%error, "the lease could not be given back");
        }
        self.store.close().await;
    }
}

fn runtime_config(config: &Config, data_dir: &Path, plugins: &Path) -> pintle_runtime::Config {
    let mut runtime = config.runtime.clone();
    if runtime.cache_dir.is_none() {
        runtime.cache_dir = Some(data_dir.join("compiled"));
    }
    let packaged = plugins_dir::precompiled(plugins);
    if packaged.is_dir() {
        runtime.precompiled_dirs.push(packaged);
    }
    runtime
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn others_pass_through_roots_data_directory_and_see_nothing() {
        let root = std::env::temp_dir().join(format!("pintle-data-dir-{}", std::process::id()));
        let made = root.join("below");
        make_data_dir(&made).unwrap();
        // SAFETY: only returns a number.
        let expected = if unsafe { libc::geteuid() == 0 } { 0o711 } else { 0o700 };
        for dir in [&root, &made] {
            assert_eq!(std::fs::metadata(dir).unwrap().permissions().mode() & 0o777, expected, "{}", dir.display());
        }
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o750)).unwrap();
        make_data_dir(&made).unwrap();
        let mode = std::fs::metadata(&made).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o750, "what is there is the user's");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
