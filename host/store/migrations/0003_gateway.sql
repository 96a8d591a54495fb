-- Events that the gateway did not take while it took their neighbours, or that it answered with an error: for
-- those who look for them. Bounded by number and age; nothing depends on a row being there.
CREATE TABLE rejected_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    message_id text NOT NULL,
    event_type text NOT NULL,
    request_ip text NOT NULL,
    bytes bigint NOT NULL,
    -- The start of it, as it came.
    excerpt bytea NOT NULL
);

-- Users whose events are neither stored nor delivered.
CREATE TABLE suppressions (
    user_id text PRIMARY KEY,
    at_ms bigint NOT NULL,
    author text NOT NULL,
    reason text NOT NULL
);
-- Counted up with every change of the list: other processes see that there is something to read.
CREATE TABLE suppressions_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    version bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO suppressions_head (version) VALUES (0);

-- Events that are copies of earlier ones: written before any destination may pass them, so that one which lags,
-- or begins again, does not take the first copy for the second. They go with their segment.
CREATE TABLE duplicates (
    lane bigint NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL,
    PRIMARY KEY (lane, seq, idx)
);
