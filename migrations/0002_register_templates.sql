-- Registers a batch, all or nothing, and answers with one row for each item, in the batch's order:
--   outcome         CREATED, UNCHANGED (stored with the same digest), CONFLICT (stored, or earlier in the batch, with
--                   another digest). With a CONFLICT anywhere nothing is stored; CREATED then means "would be".
--   stored_digest   the digest under that version
--   stored_revision, stored_at   of the change that stored it; null when it is not stored
--   batch_revision  of this batch; null when this call stored nothing (conflict, nothing new, dry run)
--
-- p_items             [{namespace, name, version, description, digest, tags: [text], step_count, file_name,
--                       source_revision, source_uri, entries: [[subject, term, role, step, environment, detail]]}]
-- p_configurations, p_source_texts   one for each item, apart because they are large
--
-- Needs READ COMMITTED: after the wait for the lock, the second look must see what the winner stored.
CREATE FUNCTION tasker.register_templates(
    p_items jsonb, p_configurations text[], p_source_texts text[], p_actor text, p_peer text, p_dry_run boolean)
RETURNS TABLE (outcome text, stored_digest text, stored_revision bigint, stored_at timestamptz, batch_revision bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_outcomes  text[];
    v_digests   text[];
    v_revisions bigint[];
    v_times     timestamptz[];
    v_seen      bigint;  -- the last revision when the outcomes were determined
    v_revision  bigint;  -- ours; also says that we hold the lock
    v_wanted    boolean;
    v_now       timestamptz;
BEGIN
    LOOP
        SELECT array_agg(CASE WHEN i.digest <> coalesce(s.digest, i.first_digest) THEN 'CONFLICT'
                              WHEN s.digest IS NULL AND i.nth = 1 THEN 'CREATED'
                              ELSE 'UNCHANGED' END ORDER BY i.item),
               array_agg(coalesce(s.digest, i.first_digest) ORDER BY i.item),
               array_agg(s.revision ORDER BY i.item),
               array_agg(s.created_at ORDER BY i.item),
               (SELECT h.revision FROM tasker.change_head h)
          INTO v_outcomes, v_digests, v_revisions, v_times, v_seen
          FROM (SELECT r.*,
                       row_number() OVER same AS nth,
                       first_value(r.digest) OVER same AS first_digest
                  FROM ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text, digest text))
                       WITH ORDINALITY AS r (namespace, name, version, digest, item)
                WINDOW same AS (PARTITION BY r.namespace, r.name, r.version ORDER BY r.item)) AS i
               -- LIMIT keeps this a lookup by index for each item, whatever the statistics say.
               LEFT JOIN LATERAL (SELECT t.digest, t.revision, t.created_at
                                    FROM tasker.named_tasks t
                                   WHERE t.namespace = i.namespace AND t.name = i.name
                                     AND t.major = split_part(i.version, '.', 1)::int
                                     AND t.minor = split_part(i.version, '.', 2)::int
                                     AND t.patch = split_part(i.version, '.', 3)::int
                                   LIMIT 1) AS s ON true;
        v_wanted := NOT p_dry_run AND NOT 'CONFLICT' = ANY (v_outcomes) AND 'CREATED' = ANY (v_outcomes);
        EXIT WHEN NOT v_wanted OR v_revision IS NOT NULL;
        UPDATE tasker.change_head AS h SET revision = h.revision + 1 RETURNING h.revision INTO v_revision;
        EXIT WHEN v_revision = v_seen + 1;  -- nobody wrote between the look and the lock: no second look
    END LOOP;

    IF v_wanted THEN
        v_now := clock_timestamp();

        INSERT INTO tasker.task_namespaces (name, created_at, updated_at)
        SELECT DISTINCT i.namespace, v_now, v_now
          FROM jsonb_to_recordset(p_items) AS i (namespace text)
            ON CONFLICT (name) DO NOTHING;

        WITH item AS MATERIALIZED (
            SELECT i.*, n.task_namespace_uuid, gen_random_uuid() AS named_task_uuid,
                   split_part(i.version, '.', 1)::int AS major,
                   split_part(i.version, '.', 2)::int AS minor,
                   split_part(i.version, '.', 3)::int AS patch
              FROM ROWS FROM (
                       jsonb_to_recordset(p_items) AS (
                           namespace text, name text, version text, description text, digest text, tags text[],
                           step_count int, file_name text, source_revision text, source_uri text, entries jsonb),
                       unnest(p_configurations), unnest(p_source_texts), unnest(v_outcomes))
                   WITH ORDINALITY AS i (namespace, name, version, description, digest, tags, step_count, file_name,
                                         source_revision, source_uri, entries, configuration, source_text, outcome, item)
                   CROSS JOIN LATERAL (SELECT t.task_namespace_uuid FROM tasker.task_namespaces t
                                        WHERE t.name = i.namespace LIMIT 1) AS n
             WHERE i.outcome = 'CREATED'
        ), new_version AS (
            INSERT INTO tasker.named_tasks (
                   named_task_uuid, task_namespace_uuid, namespace, name, version, description, configuration, digest,
                   source_text, tags, step_count, file_name, actor, peer, source_revision, source_uri, revision,
                   created_at, updated_at)
            SELECT i.named_task_uuid, i.task_namespace_uuid, i.namespace, i.name, i.version, i.description,
                   i.configuration::jsonb, i.digest, i.source_text, i.tags, coalesce(i.step_count, 0), i.file_name,
                   p_actor, p_peer, i.source_revision, i.source_uri, v_revision, v_now, v_now
              FROM item i
        ), new_entry AS (
            INSERT INTO tasker.template_index (
                   named_task_uuid, namespace, name, major, minor, patch, revision,
                   subject, term, role, step, environment, detail)
            SELECT i.named_task_uuid, i.namespace, i.name, i.major, i.minor, i.patch, v_revision,
                   e ->> 0, e ->> 1, e ->> 2, e ->> 3, e ->> 4, e ->> 5
              FROM item i CROSS JOIN LATERAL jsonb_array_elements(i.entries) AS e
        ), new_change AS (
            INSERT INTO tasker.changes (
                   revision, ordinal, kind, namespace, name, version, digest, actor, peer, source_revision, source_uri,
                   created_at)
            SELECT v_revision, row_number() OVER (ORDER BY i.item) - 1, 'REGISTER', i.namespace, i.name, i.version,
                   i.digest, p_actor, p_peer, i.source_revision, i.source_uri, v_now
              FROM item i
        ), new_template AS (
            INSERT INTO tasker.templates AS t (
                   namespace, name, latest_named_task_uuid, major, minor, patch, version_count, created_at, updated_at)
            SELECT DISTINCT ON (i.namespace, i.name)
                   i.namespace, i.name, i.named_task_uuid, i.major, i.minor, i.patch,
                   count(*) OVER (PARTITION BY i.namespace, i.name), v_now, v_now
              FROM item i
             ORDER BY i.namespace, i.name, i.major DESC, i.minor DESC, i.patch DESC
                ON CONFLICT (namespace, name) DO UPDATE
               SET version_count = t.version_count + excluded.version_count,
                   updated_at = excluded.updated_at,
                   (latest_named_task_uuid, major, minor, patch) = (
                       SELECT l.latest_named_task_uuid, l.major, l.minor, l.patch
                         FROM (VALUES (t.latest_named_task_uuid, t.major, t.minor, t.patch),
                                      (excluded.latest_named_task_uuid, excluded.major, excluded.minor, excluded.patch))
                              AS l (latest_named_task_uuid, major, minor, patch)
                        ORDER BY l.major DESC, l.minor DESC, l.patch DESC LIMIT 1)
            RETURNING t.namespace, xmax = 0 AS is_new  -- xmax is 0 for a row that was inserted, not updated
        ), gain AS (
            SELECT g.namespace, sum(g.templates) AS templates, array_agg(g.system) FILTER (WHERE g.system IS NOT NULL) AS systems
              FROM (SELECT t.namespace, count(*) FILTER (WHERE t.is_new) AS templates, NULL AS system
                      FROM new_template t GROUP BY t.namespace
                     UNION ALL
                    SELECT DISTINCT i.namespace, 0, e ->> 1
                      FROM item i CROSS JOIN LATERAL jsonb_array_elements(i.entries) AS e
                     WHERE e ->> 0 = 'system') AS g
             GROUP BY g.namespace
        )
        UPDATE tasker.task_namespaces n
           SET template_count = n.template_count + g.templates,
               system_dependencies = ARRAY(SELECT DISTINCT u.system COLLATE "C"
                                             FROM unnest(n.system_dependencies || g.systems) AS u (system) ORDER BY 1),
               updated_at = v_now
          FROM gain g
         WHERE n.name = g.namespace AND (g.templates > 0 OR NOT n.system_dependencies @> g.systems);

        PERFORM pg_notify('tasker_changes', v_revision::text);
    ELSIF v_revision IS NOT NULL THEN
        UPDATE tasker.change_head AS h SET revision = h.revision - 1;  -- another writer won; nobody has seen ours
        v_revision := NULL;
    END IF;

    RETURN QUERY
        SELECT r.outcome, r.digest,
               coalesce(r.revision, v_revision), coalesce(r.stored_at, v_now), v_revision
          FROM unnest(v_outcomes, v_digests, v_revisions, v_times)
               WITH ORDINALITY AS r (outcome, digest, revision, stored_at, item)
         ORDER BY r.item;
END
$$;
