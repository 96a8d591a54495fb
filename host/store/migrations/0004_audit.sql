-- What people did by hand to events and things that are no part of the catalog (which has its revisions).
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms bigint NOT NULL,
    author text NOT NULL,
    -- E.g. 'dead-letter.discard'.
    action text NOT NULL,
    -- What it was done to: an id, or the filter that meant many.
    subject text NOT NULL,
    reason text NOT NULL,
    -- How many it was done to.
    count bigint NOT NULL
);
