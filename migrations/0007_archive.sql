-- Puts an archive into the registry. The caller has put it, chunk by chunk, into the temporary table
--   archive_chunks (chunk int, items jsonb, configurations text[], source_texts text[], events jsonb,
--                   namespaces jsonb, tombstones jsonb, channels jsonb)
-- whose columns from items to events are what register_templates takes for versions from an archive, and
--   namespaces  [{name, description, version_policy, created_at}]
--   tombstones  [{namespace, name, version, digest, message, actor, purged_at}]
--   channels    [{namespace, name, channel, version, actor, updated_at}]
-- It calls import_archive, and rolls back unless conflicts and homeless are null. So other writers wait while this runs,
-- not while somebody sends an archive.
--
-- What the archive says becomes true: states, channels, descriptions and policies. What is here and it does not speak of
-- stays; so does a version that is here and that the archive calls purged. Changes are logged as the importer's: new
-- versions in one revision for each chunk, all else in one more.

-- The functions below do one kind of change for one chunk and log it under p_revision, from p_ordinal on. Each gives how
-- many there were.

CREATE FUNCTION tasker.import_namespaces(
    p_namespaces jsonb, p_revision bigint, p_ordinal bigint, p_actor text, p_peer text, p_now timestamptz)
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH changed AS (
        UPDATE tasker.task_namespaces n
           SET version_policy = a.version_policy, policy_revision = p_revision, updated_at = p_now
          FROM jsonb_to_recordset(p_namespaces) AS a (name text, version_policy text)
         WHERE n.name = a.name AND n.version_policy <> a.version_policy
        RETURNING n.name, n.version_policy
    ), logged AS (
        INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, actor, peer, detail, created_at)
        SELECT p_revision, p_ordinal + row_number() OVER (ORDER BY c.name) - 1, 'SET_VERSION_POLICY', c.name, '',
               p_actor, p_peer, jsonb_build_object('version_policy', c.version_policy), p_now
          FROM changed c
        RETURNING 1
    )
    SELECT count(*) FROM logged
$$;

CREATE FUNCTION tasker.import_states(
    p_items jsonb, p_revision bigint, p_ordinal bigint, p_actor text, p_peer text, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH wanted AS MATERIALIZED (
        SELECT i.item, coalesce(i.state, 'ACTIVE') AS state, coalesce(i.state_message, '') AS message,
               coalesce(i.state_replacement, '') AS replacement, coalesce(i.state_actor, '') AS actor, i.state_at,
               v.named_task_uuid
          FROM ROWS FROM (jsonb_to_recordset(p_items) AS (
                   namespace text, name text, version text, state text, state_message text, state_replacement text,
                   state_actor text, state_at timestamptz))
               WITH ORDINALITY AS i (namespace, name, version, state, state_message, state_replacement, state_actor,
                                     state_at, item)
               CROSS JOIN LATERAL (SELECT t.named_task_uuid, t.state, t.state_message, t.state_replacement,
                                          t.state_actor, t.state_at
                                     FROM tasker.named_tasks t
                                    WHERE t.namespace = i.namespace AND t.name = i.name
                                      AND t.major = split_part(i.version, '.', 1)::int
                                      AND t.minor = split_part(i.version, '.', 2)::int
                                      AND t.patch = split_part(i.version, '.', 3)::int
                                    LIMIT 1) AS v
         WHERE v.state <> coalesce(i.state, 'ACTIVE')
            OR (v.state <> 'ACTIVE'
                AND (v.state_message, v.state_replacement, v.state_actor, v.state_at) IS DISTINCT FROM
                    (coalesce(i.state_message, ''), coalesce(i.state_replacement, ''), coalesce(i.state_actor, ''),
                     i.state_at))
    ), changed AS (
        UPDATE tasker.named_tasks v
           SET state = w.state, state_message = w.message, state_replacement = w.replacement, state_actor = w.actor,
               state_revision = p_revision, state_at = coalesce(w.state_at, p_now), updated_at = p_now
          FROM wanted w
         WHERE v.named_task_uuid = w.named_task_uuid
        RETURNING v.namespace, v.name, v.version, v.digest, w.item, w.state, w.message, w.replacement
    )
    INSERT INTO tasker.changes (
           revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
    SELECT p_revision, p_ordinal + row_number() OVER (ORDER BY c.item) - 1,
           CASE c.state WHEN 'DEPRECATED' THEN 'DEPRECATE' WHEN 'YANKED' THEN 'YANK' ELSE 'RESTORE' END,
           c.namespace, c.name, c.version, c.digest, p_actor, p_peer,
           jsonb_strip_nulls(jsonb_build_object('message', nullif(c.message, ''),
                                                'replacement', nullif(c.replacement, ''))), p_now
      FROM changed c;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count = 0 THEN RETURN 0; END IF;

    PERFORM tasker.refresh_latest(t.namespace, t.name, p_now)
       FROM (SELECT DISTINCT c.namespace, c.name FROM tasker.changes c
              WHERE c.revision = p_revision AND c.ordinal >= p_ordinal) AS t;
    RETURN v_count;
END
$$;

CREATE FUNCTION tasker.import_tombstones(
    p_tombstones jsonb, p_revision bigint, p_ordinal bigint, p_actor text, p_peer text, p_now timestamptz)
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH archived AS MATERIALIZED (
        SELECT g.*, split_part(g.version, '.', 1)::int AS major, split_part(g.version, '.', 2)::int AS minor,
               split_part(g.version, '.', 3)::int AS patch
          FROM jsonb_to_recordset(p_tombstones) AS g (
               namespace text, name text, version text, digest text, message text, actor text, purged_at timestamptz)
    ), created AS (
        INSERT INTO tasker.tombstones (
               namespace, name, major, minor, patch, digest, message, actor, revision, purged_at)
        SELECT g.namespace, g.name, g.major, g.minor, g.patch, g.digest, g.message, g.actor, p_revision, g.purged_at
          FROM archived g
               LEFT JOIN LATERAL (SELECT t.digest FROM tasker.named_tasks t
                                   WHERE t.namespace = g.namespace AND t.name = g.name AND t.major = g.major
                                     AND t.minor = g.minor AND t.patch = g.patch LIMIT 1) AS v ON true
         WHERE v.digest IS NULL
            ON CONFLICT (namespace, name, major, minor, patch) DO NOTHING
        RETURNING namespace, name, concat_ws('.', major, minor, patch) AS version, digest, message
    ), logged AS (
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
        SELECT p_revision, p_ordinal + row_number() OVER (ORDER BY c.namespace, c.name, c.version) - 1, 'PURGE',
               c.namespace, c.name, c.version, c.digest, p_actor, p_peer,
               jsonb_strip_nulls(jsonb_build_object('message', nullif(c.message, ''))), p_now
          FROM created c
        RETURNING 1
    )
    SELECT count(*) FROM logged
$$;

CREATE FUNCTION tasker.import_channels(
    p_channels jsonb, p_revision bigint, p_ordinal bigint, p_actor text, p_peer text, p_now timestamptz)
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH moved AS MATERIALIZED (
        SELECT m.*, v.named_task_uuid, v.digest, c.version AS old_version
          FROM jsonb_to_recordset(p_channels) AS m (
                   namespace text, name text, channel text, version text, actor text, updated_at timestamptz)
               CROSS JOIN LATERAL (SELECT t.named_task_uuid, t.digest FROM tasker.named_tasks t
                                    WHERE t.namespace = m.namespace AND t.name = m.name
                                      AND t.major = split_part(m.version, '.', 1)::int
                                      AND t.minor = split_part(m.version, '.', 2)::int
                                      AND t.patch = split_part(m.version, '.', 3)::int LIMIT 1) AS v
               LEFT JOIN LATERAL (SELECT t.version, t.actor, t.updated_at FROM tasker.channels t
                                   WHERE t.namespace = m.namespace AND t.name = m.name AND t.channel = m.channel
                                   LIMIT 1) AS c ON true
         WHERE (c.version, c.actor, c.updated_at) IS DISTINCT FROM (m.version, m.actor, m.updated_at)
    ), set_channel AS (
        INSERT INTO tasker.channels (namespace, name, channel, named_task_uuid, version, actor, revision, updated_at)
        SELECT m.namespace, m.name, m.channel, m.named_task_uuid, m.version, m.actor, p_revision, m.updated_at
          FROM moved m
            ON CONFLICT (namespace, name, channel) DO UPDATE
           SET named_task_uuid = excluded.named_task_uuid, version = excluded.version, actor = excluded.actor,
               revision = excluded.revision, updated_at = excluded.updated_at
    ), new_move AS (
        INSERT INTO tasker.channel_moves (namespace, name, channel, revision, version, actor, created_at)
        SELECT m.namespace, m.name, m.channel, p_revision, m.version, m.actor, m.updated_at
          FROM moved m
    ), logged AS (
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
        SELECT p_revision, p_ordinal + row_number() OVER (ORDER BY m.namespace, m.name, m.channel) - 1, 'SET_CHANNEL',
               m.namespace, m.name, m.version, m.digest, p_actor, p_peer,
               jsonb_strip_nulls(jsonb_build_object('channel', m.channel, 'old_version', m.old_version)), p_now
          FROM moved m
        RETURNING 1
    )
    SELECT count(*) FROM logged
$$;

-- conflicts  [{namespace, name, version, digest, stored_digest, purged}]: versions that are here, or were purged, with
--            another digest; null: none
-- homeless   [{namespace, name, channel, version}]: channels at versions that there are not; null: none
-- revision   the first that holds all of the archive; 0: nothing changed
CREATE FUNCTION tasker.import_archive(
    p_actor text, p_peer text,
    OUT created_versions bigint, OUT unchanged_versions bigint, OUT set_states bigint, OUT set_channels bigint,
    OUT created_tombstones bigint, OUT revision bigint, OUT conflicts jsonb, OUT homeless jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_chunk     record;
    v_before    bigint;
    v_revision  bigint;
    v_ordinal   bigint := 0;
    v_created   bigint;
    v_unchanged bigint;
    v_count     bigint;
    v_now       timestamptz;
BEGIN
    created_versions := 0;
    unchanged_versions := 0;
    set_states := 0;
    set_channels := 0;
    created_tombstones := 0;
    revision := 0;
    -- Every writer takes this lock first.
    SELECT h.revision INTO v_before FROM tasker.change_head h FOR UPDATE;
    v_now := clock_timestamp();

    -- A new namespace is no change by itself: what stands in it is.
    INSERT INTO tasker.task_namespaces AS n (name, description, created_at, updated_at)
    SELECT a.name, nullif(a.description, ''), a.created_at, v_now
      FROM pg_temp.archive_chunks c
           CROSS JOIN LATERAL jsonb_to_recordset(c.namespaces) AS a (
               name text, description text, created_at timestamptz)
        ON CONFLICT (name) DO UPDATE SET description = excluded.description, updated_at = v_now
     WHERE n.description IS DISTINCT FROM excluded.description;

    FOR v_chunk IN SELECT c.* FROM pg_temp.archive_chunks c WHERE c.items <> '[]' ORDER BY c.chunk LOOP
        SELECT count(*) FILTER (WHERE r.outcome = 'CREATED'),
               count(*) FILTER (WHERE r.outcome = 'UNCHANGED'),
               jsonb_agg(jsonb_build_object(
                   'namespace', r.namespace, 'name', r.name, 'version', r.version, 'digest', r.digest,
                   'stored_digest', r.stored_digest, 'purged', r.outcome = 'PURGED'))
                   FILTER (WHERE r.outcome NOT IN ('CREATED', 'UNCHANGED'))
          INTO v_created, v_unchanged, conflicts
          FROM ROWS FROM (
                   tasker.register_templates(v_chunk.items, v_chunk.configurations, v_chunk.source_texts,
                                             v_chunk.events, '[]', p_actor, p_peer, false),
                   jsonb_to_recordset(v_chunk.items) AS (namespace text, name text, version text, digest text))
               AS r (outcome, stored_digest, stored_revision, stored_at, message, event_differences, holding_revision,
                     unchecked, namespace, name, version, digest);
        IF conflicts IS NOT NULL THEN RETURN; END IF;
        created_versions := created_versions + v_created;
        unchanged_versions := unchanged_versions + v_unchanged;
    END LOOP;

    SELECT h.revision + 1 INTO v_revision FROM tasker.change_head h;
    FOR v_chunk IN SELECT c.items, c.namespaces, c.tombstones, c.channels
                     FROM pg_temp.archive_chunks c ORDER BY c.chunk LOOP
        IF v_chunk.namespaces <> '[]' THEN
            v_ordinal := v_ordinal + tasker.import_namespaces(
                v_chunk.namespaces, v_revision, v_ordinal, p_actor, p_peer, v_now);
        END IF;
        IF v_chunk.items <> '[]' THEN
            v_count := tasker.import_states(v_chunk.items, v_revision, v_ordinal, p_actor, p_peer, v_now);
            set_states := set_states + v_count;
            v_ordinal := v_ordinal + v_count;
        END IF;
        IF v_chunk.tombstones <> '[]' THEN
            SELECT jsonb_agg(jsonb_build_object(
                       'namespace', g.namespace, 'name', g.name, 'version', g.version, 'digest', g.digest,
                       'stored_digest', s.digest, 'purged', s.purged))
              INTO conflicts
              FROM jsonb_to_recordset(v_chunk.tombstones) AS g (namespace text, name text, version text, digest text)
                   CROSS JOIN LATERAL (
                       SELECT t.digest, false AS purged FROM tasker.named_tasks t
                        WHERE t.namespace = g.namespace AND t.name = g.name
                          AND t.major = split_part(g.version, '.', 1)::int
                          AND t.minor = split_part(g.version, '.', 2)::int
                          AND t.patch = split_part(g.version, '.', 3)::int
                        UNION ALL
                       SELECT t.digest, true FROM tasker.tombstones t
                        WHERE t.namespace = g.namespace AND t.name = g.name
                          AND t.major = split_part(g.version, '.', 1)::int
                          AND t.minor = split_part(g.version, '.', 2)::int
                          AND t.patch = split_part(g.version, '.', 3)::int
                        LIMIT 1) AS s
             WHERE s.digest <> g.digest;
            IF conflicts IS NOT NULL THEN RETURN; END IF;
            v_count := tasker.import_tombstones(v_chunk.tombstones, v_revision, v_ordinal, p_actor, p_peer, v_now);
            created_tombstones := created_tombstones + v_count;
            v_ordinal := v_ordinal + v_count;
        END IF;
        IF v_chunk.channels <> '[]' THEN
            SELECT jsonb_agg(m.channel)
              INTO homeless
              FROM jsonb_array_elements(v_chunk.channels) AS m (channel)
             WHERE NOT EXISTS (SELECT FROM tasker.named_tasks t
                                WHERE t.namespace = m.channel ->> 'namespace' AND t.name = m.channel ->> 'name'
                                  AND t.major = split_part(m.channel ->> 'version', '.', 1)::int
                                  AND t.minor = split_part(m.channel ->> 'version', '.', 2)::int
                                  AND t.patch = split_part(m.channel ->> 'version', '.', 3)::int);
            IF homeless IS NOT NULL THEN RETURN; END IF;
            v_count := tasker.import_channels(v_chunk.channels, v_revision, v_ordinal, p_actor, p_peer, v_now);
            set_channels := set_channels + v_count;
            v_ordinal := v_ordinal + v_count;
        END IF;
    END LOOP;
    IF v_ordinal > 0 THEN
        UPDATE tasker.change_head AS h SET revision = v_revision;
        PERFORM pg_notify('tasker_changes', v_revision::text);
    END IF;
    SELECT CASE WHEN h.revision > v_before THEN h.revision ELSE 0 END INTO revision FROM tasker.change_head h;
END
$$;
