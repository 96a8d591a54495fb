-- The books: what was accepted, and what became of it, per source, hour in which it was received (hours since
-- 1970) and destination. They begin with chunks of format 2, which say in their headers what they hold; events of
-- older chunks are in the totals of `destinations`, and in no hour.

-- What a destination has settled since its counts were last folded into `ledger_settled`. Written by the statement
-- that moves its cursors, as absolute values; the view of the books adds both. A few bytes in a row that is written
-- anyway, where a row per source and hour would be another record of the WAL each time.
ALTER TABLE destinations
    ADD COLUMN unfolded bytea NOT NULL DEFAULT '',
    -- How often they were folded: a repeated fold presents the number that it began with.
    ADD COLUMN folds bigint NOT NULL DEFAULT 0,
    -- Whether what it does not owe, because it was accepted before it began, is written in `ledger_bounds`.
    ADD COLUMN opened boolean NOT NULL DEFAULT false;
-- The totals of `destinations` (delivered, filtered, dead, parked) are without what is unfolded from now on.

-- The hour in which the event was received; null for events that are not in the books.
ALTER TABLE parked ADD COLUMN hour integer;
ALTER TABLE dead_letters ADD COLUMN hour integer;

-- What a sealed segment holds, written with its `segment_lanes`.
CREATE TABLE segment_accepted (
    segment bigint NOT NULL REFERENCES segments ON DELETE CASCADE,
    lane bigint NOT NULL,
    source text NOT NULL,
    hour integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (segment, lane, source, hour)
);

-- The same of all segments that were dropped: added to in the transaction that drops one.
CREATE TABLE ledger_accepted (
    source text NOT NULL,
    hour integer NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (source, hour)
);

CREATE TABLE ledger_settled (
    destination text NOT NULL,
    source text NOT NULL,
    hour integer NOT NULL,
    delivered bigint NOT NULL,
    filtered bigint NOT NULL,
    duplicates bigint NOT NULL,
    -- Of sources that were not connected to it.
    unrouted bigint NOT NULL,
    dead bigint NOT NULL,
    -- Past `log-retention` before they were delivered.
    expired bigint NOT NULL,
    parked bigint NOT NULL,
    PRIMARY KEY (destination, source, hour)
) WITH (fillfactor = 50);

CREATE TABLE ledger_bounds (
    destination text NOT NULL,
    source text NOT NULL,
    hour integer NOT NULL,
    -- Of an active destination: events that were accepted and that it does not owe.
    not_owed bigint,
    -- Of one that is not active any more: events that it had to settle until then.
    owed bigint,
    PRIMARY KEY (destination, source, hour)
);
