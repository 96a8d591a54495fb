//! Who may use the admin API. Only hashes of tokens are stored.

use crate::{Error, Store};
use rand::RngExt;
use sha2::{Digest, Sha256};
use sqlx::Row;

/// What stands before a token, so that one that leaks can be recognised for what it is.
const PREFIX: &str = "pintle_";

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whom it was made for.
    pub name: String,
    /// What it allows: `viewer`, `editor` or `admin`.
    pub role: String,
    /// When it was made, milliseconds since 1970.
    pub created_at_ms: i64,
    /// Who made it.
    pub created_by: String,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
}

const COLUMNS: &str = "id, name, role, (extract(epoch FROM created_at) * 1000)::bigint, created_by, \
    (extract(epoch FROM revoked_at) * 1000)::bigint";

/// Makes a token. Its secret is returned once and stored nowhere.
///
/// # Errors
/// When the database does not answer.
pub async fn create(store: &Store, name: &str, role: &str, by: &str) -> Result<(Token, String), Error> {
    let secret: [u8; 32] = rand::rng().random();
    let id: [u8; 4] = rand::rng().random();
    let id = hex(&id);
    let text = format!("{PREFIX}{id}_{}", hex(&secret));
    let row = sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO tokens (id, name, role, hash, created_by) VALUES ($1, $2, $3, $4, $5) RETURNING {COLUMNS}"
    )))
    .bind(&id)
    .bind(name)
    .bind(role)
    .bind(hash(&text))
    .bind(by)
    .fetch_one(store.pool())
    .await?;
    Ok((read(&row), text))
}

/// The token with this secret, unless it was revoked.
///
/// # Errors
/// When the database does not answer.
pub async fn find(store: &Store, secret: &str) -> Result<Option<Token>, Error> {
    // By hash: how long a comparison takes says nothing about the secret.
    let statement = format!("SELECT {COLUMNS} FROM tokens WHERE hash = $1 AND revoked_at IS NULL");
    let row = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(hash(secret)).fetch_optional(store.pool()).await?;
    Ok(row.as_ref().map(read))
}

/// Whether there is any token that was not revoked.
///
/// # Errors
/// When the database does not answer.
pub async fn any(store: &Store) -> Result<bool, Error> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tokens WHERE revoked_at IS NULL)");
    Ok(found.fetch_one(store.pool()).await?)
}

/// All tokens, revoked ones included, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(store: &Store) -> Result<Vec<Token>, Error> {
    let statement = format!("SELECT {COLUMNS} FROM tokens ORDER BY created_at DESC, id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(store.pool()).await?;
    Ok(rows.iter().map(read).collect())
}

/// Revokes a token. False when there is none with this id. Revoking one again changes nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(store: &Store, id: &str) -> Result<bool, Error> {
    let done = sqlx::query("UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1")
        .bind(id)
        .execute(store.pool())
        .await?;
    Ok(done.rows_affected() == 1)
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(row: &sqlx::postgres::PgRow) -> Token {
    Token {
        id: row.get(0),
        name: row.get(1),
        role: row.get(2),
        created_at_ms: row.get(3),
        created_by: row.get(4),
        revoked_at_ms: row.get(5),
    }
}
