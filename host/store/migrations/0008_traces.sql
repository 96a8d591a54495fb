-- What people have asked to be traced. A switch ends by itself: at its time, or after its number of events.
CREATE TABLE trace_switches (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at_ms bigint NOT NULL,
    author text NOT NULL,
    note text NOT NULL,
    -- What an event must be to be traced; what is null says nothing.
    user_id text,
    connection text,
    source text,
    until_ms bigint NOT NULL,
    events_max bigint NOT NULL,
    -- Counted in memory by the process that delivers, and written here as an absolute number now and then: after
    -- a crash some events more may be traced, never without end.
    events_taken bigint NOT NULL DEFAULT 0,
    -- Set when somebody switched it off.
    off_at_ms bigint
) WITH (fillfactor = 20);
-- Counted up with every change of the list: other processes see that there is something to read.
CREATE TABLE trace_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO trace_head (version) VALUES (0);

-- What was seen of traced events, a row per step. Bounded by number, bytes and age; nothing depends on a row being
-- there.
CREATE TABLE trace_steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    lane bigint NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    -- Empty for what happens once per event.
    destination text NOT NULL,
    -- Of the first step of an event: the only connection on which it is traced, empty for all.
    connection text NOT NULL,
    kind text NOT NULL,
    -- Length of `body` before compression.
    bytes integer NOT NULL,
    -- A JSON object, compressed with zstd. Secrets were masked before.
    body bytea NOT NULL
);
ALTER TABLE trace_steps ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX trace_steps_message ON trace_steps (message_id, id);
