-- Events of the past that go to one destination again. Each replay is a reader of its own, `$replay-<id>`, with a row
-- in `destinations`, cursors, parked events, dead letters and books like any other.
CREATE TABLE replays (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    -- Events that were received from then on, and before then, in milliseconds since 1970.
    since_ms bigint NOT NULL,
    until_ms bigint NOT NULL,
    -- What of the archive was asked for; null when the events come from the log.
    archive text,
    -- The archive's objects in their order, as they were listed at the beginning.
    objects text[] NOT NULL DEFAULT '{}',
    author text NOT NULL,
    created_ms bigint NOT NULL,
    -- Counted up each time it is opened again because one of its dead letters is tried again.
    round integer NOT NULL DEFAULT 0,
    -- Who cancelled it.
    cancelled_by text,
    -- When the last of its events was settled.
    ended_ms bigint
);

-- A reader that goes up to an end, and owes nothing beyond it.
ALTER TABLE destinations ADD COLUMN bounded boolean NOT NULL DEFAULT false;

CREATE TABLE reader_ends (
    reader text NOT NULL REFERENCES destinations ON DELETE CASCADE,
    lane bigint NOT NULL,
    -- The last chunk of the lane that it reads. Of lanes that are not named it reads nothing.
    last_seq bigint NOT NULL,
    PRIMARY KEY (reader, lane)
);
