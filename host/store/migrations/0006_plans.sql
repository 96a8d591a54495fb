-- What a reader that writes objects is about to write: stored before the first upload, and repeated after a crash,
-- so that the same objects are written again and none is added. One per reader: the next one takes its place when
-- the cursor has been stored beyond it.
CREATE TABLE plans (
    reader text PRIMARY KEY,
    -- The catalog by which it was made last.
    revision bigint NOT NULL,
    -- The time that transformations are told, milliseconds since 1970: the same in a repetition.
    now_ms bigint NOT NULL,
    -- Drawn once. The objects' names have a part of it, so that no other plan for the same positions, of another
    -- database for instance, means the same objects.
    seed bigint NOT NULL,
    -- The range: of each lane, the first and the last chunk.
    lanes bigint[] NOT NULL,
    first_seqs bigint[] NOT NULL,
    last_seqs bigint[] NOT NULL,
    -- Everything that any try may have written: buckets and names, in pairs.
    buckets text[] NOT NULL,
    names text[] NOT NULL,
    -- All objects are there. What is left is to settle the range, without writing anything again.
    uploaded boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
