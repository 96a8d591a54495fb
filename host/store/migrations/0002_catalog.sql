-- The revision in force, and which key everything is sealed with. Whoever writes a revision presents the one
-- it began with: of two that began with the same, the second matches no row and begins again.
CREATE TABLE catalog_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    revision bigint NOT NULL,
    key_id text
) WITH (fillfactor = 20);
INSERT INTO catalog_head (revision) SELECT coalesce(max(id), 0) FROM revisions;

-- Code and components, by the SHA-256 of their bytes; revisions name them. Stored before the revision that
-- does, so that a crash in between leaves bytes nobody names, never a name without bytes.
CREATE TABLE artifacts (
    digest text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    bytes bigint NOT NULL,
    -- Compressed, then encrypted: code may hold what its author should have made a credential.
    body bytea NOT NULL
);
ALTER TABLE artifacts ALTER COLUMN body SET STORAGE EXTERNAL;

-- Who may use the admin API. The token itself is 256 random bits and shown once; a plain hash of that many
-- cannot be turned back by guessing.
CREATE TABLE tokens (
    id text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    revoked_at timestamptz
);
