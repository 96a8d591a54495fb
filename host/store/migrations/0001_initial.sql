-- Who delivers. One row per slot group; today there is one group that holds all slots.
-- Whoever moves a cursor presents the epoch it was given: after a take-over the late owner's statements
-- match no row, so it cannot settle, park or bury anything any more.
CREATE TABLE leases (
    slot_group smallint PRIMARY KEY,
    owner uuid,
    epoch bigint NOT NULL DEFAULT 0,
    -- Counted up by the owner while it lives; a standby watches it change instead of comparing clocks.
    beat bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO leases (slot_group) VALUES (0);

-- The stream of one writer connection of one process. Only that process writes it, so `seq` is a counter
-- in memory, dense and in commit order.
CREATE TABLE lanes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner uuid NOT NULL,
    -- Every insert presents it. Raised when the outcome of a commit is unknown and when a dead process's
    -- lane is closed: what was still on its way can no longer land.
    epoch bigint NOT NULL DEFAULT 1,
    -- The last chunk of a closed lane; null while the lane is written.
    head bigint,
    -- Chunks up to here are in segments that were dropped.
    dropped_seq bigint NOT NULL DEFAULT 0,
    -- Events in those chunks: the books still count them.
    dropped_events bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE TABLE segments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Writers hold the row FOR SHARE while this is null; sealing updates the row, so nothing lands later.
    sealed_at timestamptz,
    bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

-- What a sealed segment holds, so that a start need not look into it.
CREATE TABLE segment_lanes (
    segment bigint NOT NULL REFERENCES segments ON DELETE CASCADE,
    lane bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (segment, lane)
);

-- Only for merging lanes: drawn inside the insert, before the commit.
CREATE SEQUENCE chunk_ord;

-- One row per destination ever seen, with the books that its cursors vouch for: both are written by the
-- same statement, as absolute values, so that repeating it after an unknown outcome changes nothing.
CREATE TABLE destinations (
    id text PRIMARY KEY,
    -- An inactive destination (disabled or removed) has no cursors and holds no segment back.
    active boolean NOT NULL DEFAULT true,
    delivered bigint NOT NULL DEFAULT 0,
    filtered bigint NOT NULL DEFAULT 0,
    dead bigint NOT NULL DEFAULT 0,
    parked bigint NOT NULL DEFAULT 0,
    last_error text,
    last_error_at timestamptz
) WITH (fillfactor = 20);

CREATE TABLE cursors (
    destination text NOT NULL REFERENCES destinations ON DELETE CASCADE,
    slot_group smallint NOT NULL DEFAULT 0,
    lane bigint NOT NULL,
    -- Everything before event `idx` of chunk `seq` is settled.
    seq bigint NOT NULL,
    idx integer NOT NULL,
    -- Events settled beyond that, one bit each, the first bit for (seq, idx).
    bitmap bytea NOT NULL DEFAULT '',
    PRIMARY KEY (destination, slot_group, lane)
) WITH (fillfactor = 20);

-- Where a connection begins, for connections younger than their destination's cursors. Lanes without a row: from their first event.
CREATE TABLE connection_starts (
    connection text NOT NULL,
    lane bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (connection, lane)
);

-- Events that cannot be delivered now while others of the same destination can. A copy of the router's
-- memory: written in the transaction that moves the cursor past the event.
CREATE TABLE parked (
    destination text NOT NULL,
    lane bigint NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL,
    output integer NOT NULL,
    key_hash bigint NOT NULL,
    connection text NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    event_type text NOT NULL,
    attempt integer NOT NULL,
    next_at_ms bigint NOT NULL,
    first_failed_at_ms bigint NOT NULL,
    requests_done integer NOT NULL,
    last_error text NOT NULL,
    -- The event after user transformation. Each try runs the destination transform again, so that no
    -- request, and no secret in one, is stored.
    payload bytea NOT NULL,
    PRIMARY KEY (destination, lane, seq, idx, output)
);

CREATE TABLE dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    lane bigint NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL,
    output integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- 'transformation': the payload is the event before it; 'delivery': after it.
    stage text NOT NULL,
    connection text NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    event_type text NOT NULL,
    key_hash bigint NOT NULL,
    reason text NOT NULL,
    error text,
    attempts integer NOT NULL,
    request text,
    response text,
    payload bytea NOT NULL,
    UNIQUE (destination, lane, seq, idx, output)
);

-- What fell off the end of the log undelivered: one row per destination and segment, payloads gone.
CREATE TABLE dead_letter_ranges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    segment bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    events bigint NOT NULL,
    -- {"source": {"type": count}}
    counts text NOT NULL,
    UNIQUE (destination, segment)
);

-- The catalog. Never changed, only added to: the newest one counts.
CREATE TABLE revisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    author text NOT NULL,
    reason text NOT NULL,
    -- What changed, for people; secret values only as fingerprints.
    changes text NOT NULL,
    -- The document, encrypted: it holds secrets.
    document bytea NOT NULL
);
