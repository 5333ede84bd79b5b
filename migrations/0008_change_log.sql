-- How far the change log is trimmed, and its indexes.

CREATE TABLE tasker.change_trim (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
);
COMMENT ON COLUMN tasker.change_trim.revision IS 'the changes up to this revision are gone; nobody can go on from an earlier one';
INSERT INTO tasker.change_trim (revision) VALUES (0);

-- The changes of one kind in the order of revisions: of everything, of a namespace, of a template. A list of several
-- kinds, or of all kinds of a template, merges one range for each kind, so that a rare kind is found at once among any
-- number of others.
DROP INDEX tasker.changes_template;
CREATE INDEX changes_kind ON tasker.changes (kind, revision, ordinal);
CREATE INDEX changes_namespace ON tasker.changes (namespace, kind, revision, ordinal);
CREATE INDEX changes_template ON tasker.changes (namespace, name, kind, revision, ordinal);

-- Removes, of the oldest p_limit changes, those that are neither of the last p_keep_revisions revisions nor younger than
-- p_keep_seconds, and answers with their number; 0 when there is nothing to do, or another server is doing it. Whole
-- revisions only: all changes of one have the same time.
CREATE FUNCTION tasker.trim_changes(p_keep_revisions bigint, p_keep_seconds double precision, p_limit int)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_trimmed bigint;
    v_last    bigint;  -- the last that may go
    v_to      bigint;
    v_before  timestamptz := clock_timestamp() - make_interval(secs => p_keep_seconds);
    v_removed bigint;
BEGIN
    SELECT t.revision INTO v_trimmed FROM tasker.change_trim t FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT h.revision - p_keep_revisions INTO v_last FROM tasker.change_head h;
    SELECT coalesce(min(o.revision) FILTER (WHERE NOT o.may_go) - 1, max(o.revision)) INTO v_to
      FROM (SELECT c.revision, c.revision <= v_last AND c.created_at < v_before AS may_go
              FROM tasker.changes c WHERE c.revision > v_trimmed
             ORDER BY c.revision, c.ordinal LIMIT p_limit) AS o;
    IF v_to IS NULL OR v_to <= v_trimmed THEN
        RETURN 0;
    END IF;
    DELETE FROM tasker.changes c WHERE c.revision > v_trimmed AND c.revision <= v_to;
    GET DIAGNOSTICS v_removed = ROW_COUNT;
    UPDATE tasker.change_trim SET revision = v_to;
    RETURN v_removed;
END
$$;
