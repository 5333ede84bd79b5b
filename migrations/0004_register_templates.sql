-- Registers a batch, all or nothing, and answers with one row for each item, in the batch's order:
--   outcome           CREATED; UNCHANGED (stored with the same digest); CONFLICT (stored, or earlier in the batch, with
--                     another digest); PURGED (a purged version had another digest); YANKED (a channel is to point at
--                     it, and it is yanked); UNCHECKED (its version policy asks for a comparison first). With any of
--                     the last four nothing is stored; CREATED then means "would be".
--   stored_digest     the digest under that version, or the purged one's
--   stored_revision, stored_at   of the change that stored it; null when it is not stored; PURGED: when it was purged
--   message           why it was purged or yanked
--   event_differences its events that have another schema in this namespace, in a stored version or in an item before:
--                     [[event, template, version]], where the last two are one place that has it; null: none
--   unchecked         UNCHECKED: [policy, version, digest] of what it is to be compared with, which may stand in the
--                     batch; else null
--   holding_revision  the first revision that holds the whole batch and its channels; null for a dry run and when
--                     nothing is stored. A batch that changes nothing takes none of its own.
--
-- p_items             [{namespace, name, version, description, digest, tags: [text], step_count, file_name,
--                       source_revision, source_uri, entries: [[subject, term, role, step, environment, detail]]}],
--                     and, each may be absent: checked_against, "POLICY DIGEST" of what it was compared with under
--                     which policy; change_detail: for the change log
--                     From an archive also {kind: "IMPORT", created_at, actor, peer, state, state_message,
--                       state_replacement, state_actor, state_at}; each may be absent.
-- p_configurations, p_source_texts   one for each item, apart because they are large; both null: they lie in
--                     staged_texts
-- p_events            [[item, name, schema digest, description, canonical schema]], items from 1; digest and schema are
--                     empty where the event has no schema
-- p_channels          [[item, channel]]: point the channel at the item, also when the item is UNCHANGED; for several
--                     versions of one template, at the highest. From an archive [item, channel, actor, time].
-- p_calls, p_actors, p_peers   several calls at once, which register_calls joins: the call of each item, from 1,
--                     ascending; who each call is from. Each call that stores something takes a revision of its own.
--                     All calls are stored or none. Without channels, and no dry run.
--
-- Needs READ COMMITTED: after the wait for the lock, the second look must see what the winner stored.

DROP FUNCTION tasker.register_templates(jsonb, text[], text[], text, text, boolean);

-- The full syntax of names, versions and digests is checked where templates are read; the regular expressions that said
-- it again here were a fifteenth of what storing a batch took.
ALTER TABLE tasker.named_tasks
    DROP CONSTRAINT named_tasks_name_check,
    DROP CONSTRAINT named_tasks_version_check,
    DROP CONSTRAINT named_tasks_digest_check,
    ADD CONSTRAINT named_tasks_name_check  -- without what separates the parts of a reference
        CHECK (octet_length(name) BETWEEN 1 AND 255 AND translate(name, '/:@ ', '') = name),
    ADD CONSTRAINT named_tasks_version_check CHECK (version = major || '.' || minor || '.' || patch),
    ADD CONSTRAINT named_tasks_digest_check CHECK (octet_length(digest) = 71);

-- A registration takes a tenth less with lz4 than with PostgreSQL's own compression. Not every build has it.
DO $$
BEGIN
    ALTER TABLE tasker.named_tasks
        ALTER COLUMN configuration SET COMPRESSION lz4,
        ALTER COLUMN source_text SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END
$$;

-- What p_channels asks for: one row for each channel of each template.
CREATE FUNCTION tasker.wanted_channels(p_items jsonb, p_channels jsonb)
RETURNS TABLE (item bigint, namespace text, name text, version text, is_import boolean, channel text, actor text,
               updated_at timestamptz)
LANGUAGE plpgsql STABLE  -- whose plan is kept, other than that of an SQL function
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT DISTINCT ON (i.namespace, i.name, m.channel)
           i.item, i.namespace, i.name, i.version, i.kind IS NOT DISTINCT FROM 'IMPORT', m.channel, m.actor,
           m.updated_at
      FROM (SELECT (e ->> 0)::bigint AS item, e ->> 1 AS channel, e ->> 2 AS actor,
                   (e ->> 3)::timestamptz AS updated_at
              FROM jsonb_array_elements(p_channels) AS e) AS m
           JOIN ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text, kind text))
                WITH ORDINALITY AS i (namespace, name, version, kind, item) USING (item)
     ORDER BY i.namespace, i.name, m.channel, string_to_array(i.version, '.')::int[] DESC, i.item;
END
$$;

-- event_differences of all items, by item: {"1": [[event, template, version]]}.
CREATE FUNCTION tasker.event_differences(p_items jsonb, p_events jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
    WITH event AS (
        SELECT i.item, i.namespace, x.name, x.digest,
               -- Of all that stand before it, one that differs is the lowest or the highest.
               min(ARRAY[x.digest, i.name, i.version]) OVER before AS lowest,
               max(ARRAY[x.digest, i.name, i.version]) OVER before AS highest
          FROM (SELECT (e ->> 0)::bigint AS item, e ->> 1 AS name, e ->> 2 AS digest
                  FROM jsonb_array_elements(p_events) AS e) AS x
               JOIN ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text))
                    WITH ORDINALITY AS i (namespace, name, version, item) USING (item)
         WHERE x.digest <> ''
        WINDOW before AS (PARTITION BY i.namespace, x.name ORDER BY i.item)
    ), difference AS (
        SELECT e.item, e.name,
               coalesce(s.place, CASE WHEN e.lowest[1] <> e.digest THEN e.lowest[2:3]
                                      WHEN e.highest[1] <> e.digest THEN e.highest[2:3] END) AS place
          FROM event e
               LEFT JOIN LATERAL (SELECT ARRAY[d.template, d.version] AS place
                                    FROM tasker.domain_events d
                                   WHERE d.namespace = e.namespace AND d.name = e.name
                                     AND d.schema_digest <> e.digest AND d.schema_digest <> ''
                                   ORDER BY d.schema_digest LIMIT 1) AS s ON true
    )
    SELECT jsonb_object_agg(o.item, o.events)
      FROM (SELECT d.item, jsonb_agg(jsonb_build_array(d.name, d.place[1], d.place[2]) ORDER BY d.name) AS events
              FROM difference d
             WHERE d.place IS NOT NULL
             GROUP BY d.item) AS o);
END
$$;

CREATE INDEX task_namespaces_policy ON tasker.task_namespaces (name) WHERE version_policy <> 'NONE';

-- The CREATED items whose namespace has a version policy, and which were not compared with the highest lower version
-- that is not yanked: in the registry, or among the CREATED items. By item: {"1": [policy, version, digest]}; null: none.
CREATE FUNCTION tasker.unchecked_versions(p_items jsonb, p_outcomes text[])
RETURNS jsonb LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
    WITH item AS (
        SELECT i.item, i.namespace, i.name, i.checked_against, n.version_policy AS policy,
               string_to_array(i.version, '.')::int[] AS parts,
               lag(ARRAY[i.version, i.digest]) OVER same AS before
          FROM ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text, digest text,
                                                          checked_against text, kind text),
                          unnest(p_outcomes))
               WITH ORDINALITY AS i (namespace, name, version, digest, checked_against, kind, outcome, item)
               JOIN tasker.task_namespaces n ON n.name = i.namespace AND n.version_policy <> 'NONE'
         WHERE i.outcome = 'CREATED' AND i.kind IS DISTINCT FROM 'IMPORT'
        WINDOW same AS (PARTITION BY i.namespace, i.name ORDER BY string_to_array(i.version, '.')::int[])
    )
    SELECT jsonb_object_agg(i.item, jsonb_build_array(i.policy, b.base[1], b.base[2]))
      FROM item i
           LEFT JOIN LATERAL (SELECT ARRAY[t.version, t.digest] AS base
                                FROM tasker.named_tasks t
                               WHERE t.namespace = i.namespace AND t.name = i.name AND t.state <> 'YANKED'
                                 AND (t.major, t.minor, t.patch) < (i.parts[1], i.parts[2], i.parts[3])
                               ORDER BY t.major DESC, t.minor DESC, t.patch DESC LIMIT 1) AS s ON true
           CROSS JOIN LATERAL (SELECT CASE WHEN s.base IS NULL OR string_to_array(i.before[1], '.')::int[]
                                                                    > string_to_array(s.base[1], '.')::int[]
                                           THEN i.before ELSE s.base END AS base) AS b
     WHERE b.base IS NOT NULL AND i.checked_against IS DISTINCT FROM i.policy || ' ' || b.base[2]);
END
$$;

-- The large texts of a batch that comes in pieces. Rows live as long as the transaction that sends them.
CREATE UNLOGGED TABLE tasker.staged_texts (
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    item           int NOT NULL,
    configuration  text NOT NULL,
    source_text    text,
    PRIMARY KEY (transaction_id, item)
);

-- Stores those of a batch's items that are CREATED, each at its revision. The caller holds the lock.
CREATE FUNCTION tasker.store_versions(
    p_items jsonb, p_configurations text[], p_source_texts text[], p_outcomes text[], p_revisions bigint[],
    p_now timestamptz, p_actor text, p_peer text, p_calls int[], p_actors text[], p_peers text[])
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO tasker.task_namespaces (name, created_at, updated_at)
    SELECT DISTINCT i.namespace, p_now, p_now
      FROM jsonb_to_recordset(p_items) AS i (namespace text)
        ON CONFLICT (name) DO NOTHING;

    WITH item AS MATERIALIZED (
        SELECT i.*, coalesce(i.configuration, s.configuration)::jsonb AS document,
               coalesce(i.source_text, s.source_text) AS author_text, coalesce(p_actors[p_calls[i.item]], p_actor) AS call_actor,
               coalesce(p_peers[p_calls[i.item]], p_peer) AS call_peer, n.task_namespace_uuid, gen_random_uuid() AS named_task_uuid,
               split_part(i.version, '.', 1)::int AS major,
               split_part(i.version, '.', 2)::int AS minor,
               split_part(i.version, '.', 3)::int AS patch
          FROM ROWS FROM (
                   jsonb_to_recordset(p_items) AS (
                       namespace text, name text, version text, description text, digest text, tags text[],
                       step_count int, file_name text, source_revision text, source_uri text, entries jsonb,
                       kind text, created_at timestamptz, actor text, peer text, state text, state_message text,
                       state_replacement text, state_actor text, state_at timestamptz, change_detail jsonb),
                   unnest(p_configurations), unnest(p_source_texts), unnest(p_outcomes), unnest(p_revisions))
               WITH ORDINALITY AS i (namespace, name, version, description, digest, tags, step_count, file_name,
                                     source_revision, source_uri, entries, kind, created_at, actor, peer, state,
                                     state_message, state_replacement, state_actor, state_at, change_detail,
                                     configuration, source_text, outcome, revision, item)
               LEFT JOIN LATERAL (SELECT t.configuration, t.source_text FROM tasker.staged_texts t
                                   WHERE p_configurations IS NULL AND t.transaction_id = pg_current_xact_id()
                                     AND t.item = i.item LIMIT 1) AS s ON true
               CROSS JOIN LATERAL (SELECT t.task_namespace_uuid FROM tasker.task_namespaces t
                                    WHERE t.name = i.namespace LIMIT 1) AS n
         WHERE i.outcome = 'CREATED'
    ), new_version AS (
        INSERT INTO tasker.named_tasks (
               named_task_uuid, task_namespace_uuid, namespace, name, version, description, configuration, digest,
               source_text, tags, step_count, file_name, actor, peer, source_revision, source_uri, revision,
               created_at, updated_at, state, state_message, state_replacement, state_actor, state_revision,
               state_at)
        SELECT i.named_task_uuid, i.task_namespace_uuid, i.namespace, i.name, i.version, i.description,
               i.document, i.digest, i.author_text, i.tags, coalesce(i.step_count, 0), i.file_name,
               coalesce(i.actor, i.call_actor), coalesce(i.peer, i.call_peer), i.source_revision, i.source_uri, i.revision,
               coalesce(i.created_at, p_now), p_now, coalesce(i.state, 'ACTIVE'), coalesce(i.state_message, ''),
               coalesce(i.state_replacement, ''), coalesce(i.state_actor, ''),
               CASE WHEN i.state <> 'ACTIVE' THEN i.revision END, i.state_at
          FROM item i
    ), new_entry AS (
        INSERT INTO tasker.template_index (
               named_task_uuid, namespace, name, major, minor, patch, revision,
               subject, term, role, step, environment, detail)
        SELECT i.named_task_uuid, i.namespace, i.name, i.major, i.minor, i.patch, i.revision,
               e ->> 0, e ->> 1, e ->> 2, e ->> 3, e ->> 4, e ->> 5
          FROM item i CROSS JOIN LATERAL jsonb_array_elements(i.entries) AS e
    ), new_change AS (
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, source_revision, source_uri,
               detail, created_at)
        SELECT i.revision, row_number() OVER (PARTITION BY i.revision ORDER BY i.item) - 1, coalesce(i.kind, 'REGISTER'), i.namespace,
               i.name, i.version, i.digest, i.call_actor, i.call_peer, i.source_revision, i.source_uri,
               coalesce(i.change_detail, '{}'), p_now
          FROM item i
    ), new_template AS (
        INSERT INTO tasker.templates AS t (
               namespace, name, latest_named_task_uuid, major, minor, patch, version_count, created_at, updated_at,
               state, search)
        SELECT l.namespace, l.name, l.named_task_uuid, l.major, l.minor, l.patch, l.version_count, p_now, p_now,
               l.state, tasker.search_words(l.name, l.description, l.tags)
          FROM (SELECT DISTINCT ON (i.namespace, i.name)
                       i.namespace, i.name, i.named_task_uuid, i.major, i.minor, i.patch, i.description, i.tags,
                       count(*) OVER (PARTITION BY i.namespace, i.name) AS version_count,
                       coalesce(i.state, 'ACTIVE') AS state
                  FROM item i
                 ORDER BY i.namespace, i.name, i.state IS NOT DISTINCT FROM 'YANKED',
                          i.major DESC, i.minor DESC, i.patch DESC) AS l
            ON CONFLICT (namespace, name) DO UPDATE
           SET version_count = t.version_count + excluded.version_count,
               updated_at = excluded.updated_at,
               (latest_named_task_uuid, major, minor, patch, state, search) = (
                   SELECT l.latest_named_task_uuid, l.major, l.minor, l.patch, l.state, l.search
                     FROM (VALUES (t.latest_named_task_uuid, t.major, t.minor, t.patch, t.state, t.search),
                                  (excluded.latest_named_task_uuid, excluded.major, excluded.minor, excluded.patch,
                                   excluded.state, excluded.search))
                          AS l (latest_named_task_uuid, major, minor, patch, state, search)
                    ORDER BY l.state = 'YANKED', l.major DESC, l.minor DESC, l.patch DESC LIMIT 1)
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
           updated_at = p_now
      FROM gain g
     WHERE n.name = g.namespace AND (g.templates > 0 OR NOT n.system_dependencies @> g.systems);
END
$$;

-- The same for one item that comes from no archive, in statements without sets: starting those took most of the time.
CREATE FUNCTION tasker.store_version(
    p_item jsonb, p_configuration text, p_source_text text, p_revision bigint, p_now timestamptz, p_actor text,
    p_peer text)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_namespace text := p_item ->> 'namespace';
    v_name      text := p_item ->> 'name';
    v_version   text := p_item ->> 'version';
    v_parts     int[] := string_to_array(v_version, '.');
    v_id        uuid := gen_random_uuid();
    v_tags      text[] := '{}';
    v_systems   text[];
    v_home      record;  -- the namespace
    v_latest    record;  -- the template before
    v_is_new    boolean;
BEGIN
    IF p_item -> 'tags' <> '[]' THEN v_tags := ARRAY(SELECT jsonb_array_elements_text(p_item -> 'tags')); END IF;

    SELECT n.task_namespace_uuid, n.system_dependencies INTO v_home
      FROM tasker.task_namespaces n WHERE n.name = v_namespace;
    IF NOT FOUND THEN
        INSERT INTO tasker.task_namespaces AS n (name, created_at, updated_at) VALUES (v_namespace, p_now, p_now)
        RETURNING n.task_namespace_uuid, n.system_dependencies INTO v_home;
    END IF;

    INSERT INTO tasker.named_tasks (
           named_task_uuid, task_namespace_uuid, namespace, name, version, description, configuration, digest,
           source_text, tags, step_count, file_name, actor, peer, source_revision, source_uri, revision, created_at,
           updated_at)
    VALUES (v_id, v_home.task_namespace_uuid, v_namespace, v_name, v_version, p_item ->> 'description',
            p_configuration::jsonb, p_item ->> 'digest', p_source_text, v_tags,
            coalesce((p_item ->> 'step_count')::int, 0), p_item ->> 'file_name', p_actor, p_peer,
            p_item ->> 'source_revision', p_item ->> 'source_uri', p_revision, p_now, p_now);

    INSERT INTO tasker.template_index (
           named_task_uuid, namespace, name, major, minor, patch, revision,
           subject, term, role, step, environment, detail)
    SELECT v_id, v_namespace, v_name, v_parts[1], v_parts[2], v_parts[3], p_revision,
           e ->> 0, e ->> 1, e ->> 2, e ->> 3, e ->> 4, e ->> 5
      FROM jsonb_array_elements(p_item -> 'entries') AS e;

    INSERT INTO tasker.changes (
           revision, ordinal, kind, namespace, name, version, digest, actor, peer, source_revision, source_uri, detail,
           created_at)
    VALUES (p_revision, 0, 'REGISTER', v_namespace, v_name, v_version, p_item ->> 'digest', p_actor, p_peer,
            p_item ->> 'source_revision', p_item ->> 'source_uri', coalesce(p_item -> 'change_detail', '{}'), p_now);

    SELECT t.state = 'YANKED' AS is_yanked, ARRAY[t.major, t.minor, t.patch] AS parts INTO v_latest
      FROM tasker.templates t WHERE t.namespace = v_namespace AND t.name = v_name;
    v_is_new := NOT FOUND;
    IF v_is_new THEN
        INSERT INTO tasker.templates (
               namespace, name, latest_named_task_uuid, major, minor, patch, version_count, created_at, updated_at,
               search)
        VALUES (v_namespace, v_name, v_id, v_parts[1], v_parts[2], v_parts[3], 1, p_now, p_now,
                tasker.search_words(v_name, p_item ->> 'description', v_tags));
    ELSIF v_latest.is_yanked OR v_latest.parts < v_parts THEN
        UPDATE tasker.templates t
           SET version_count = t.version_count + 1, updated_at = p_now, latest_named_task_uuid = v_id,
               major = v_parts[1], minor = v_parts[2], patch = v_parts[3], state = 'ACTIVE',
               search = tasker.search_words(v_name, p_item ->> 'description', v_tags)
         WHERE t.namespace = v_namespace AND t.name = v_name;
    ELSE
        UPDATE tasker.templates t SET version_count = t.version_count + 1, updated_at = p_now
         WHERE t.namespace = v_namespace AND t.name = v_name;
    END IF;

    IF v_is_new THEN
        UPDATE tasker.task_namespaces n SET template_count = n.template_count + 1, updated_at = p_now
         WHERE n.name = v_namespace;
    END IF;
    v_systems := ARRAY(SELECT e ->> 1 FROM jsonb_array_elements(p_item -> 'entries') AS e WHERE e ->> 0 = 'system');
    IF NOT v_home.system_dependencies @> v_systems THEN
        UPDATE tasker.task_namespaces n
           SET system_dependencies = ARRAY(SELECT DISTINCT u.system COLLATE "C"
                                             FROM unnest(n.system_dependencies || v_systems) AS u (system) ORDER BY 1),
               updated_at = p_now
         WHERE n.name = v_namespace;
    END IF;
END
$$;

CREATE FUNCTION tasker.register_templates(
    p_items jsonb, p_configurations text[], p_source_texts text[], p_events jsonb, p_channels jsonb, p_actor text,
    p_peer text, p_dry_run boolean, p_calls int[] DEFAULT NULL, p_actors text[] DEFAULT NULL,
    p_peers text[] DEFAULT NULL)
RETURNS TABLE (outcome text, stored_digest text, stored_revision bigint, stored_at timestamptz, message text,
               event_differences jsonb, holding_revision bigint, unchecked jsonb)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_outcomes    text[];
    v_digests     text[];
    v_revisions   bigint[];
    v_times       timestamptz[];
    v_messages    text[];
    v_states      text[];
    v_count       int := jsonb_array_length(p_items);
    v_firsts      bigint[] := '{1}';  -- the first item of the same identity
    v_first_digests text[] := ARRAY[p_items #>> '{0,digest}'];
    v_row         record;
    v_last        bigint;   -- the highest of v_revisions
    v_returns     boolean;  -- some items were purged with the same content
    v_moves       boolean := false;
    v_channels    bigint;   -- the last revision of the wanted channels that point there already
    v_hidden      bigint[];
    v_item        bigint;
    v_seen        bigint;   -- the last revision when the outcomes were determined
    v_revision    bigint;   -- our first; also says that we hold the lock
    v_head        bigint;   -- our last
    v_call        int := 0;
    v_wanted      boolean;
    v_refused     boolean;
    v_now         timestamptz;
    v_differences jsonb;
    v_unchecked   jsonb;
BEGIN
    IF v_count > 1 THEN
        SELECT array_agg(f.first), array_agg(f.digest) INTO v_firsts, v_first_digests
          FROM (SELECT first_value(i.item) OVER same AS first, first_value(i.digest) OVER same AS digest
                  FROM ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text, digest text))
                       WITH ORDINALITY AS i (namespace, name, version, digest, item)
                WINDOW same AS (PARTITION BY i.namespace, i.name, i.version ORDER BY i.item)
                 ORDER BY i.item) AS f;
    END IF;

    LOOP
        v_last := NULL;
        v_returns := false;
        FOR v_row IN
            SELECT i.item, i.digest, s.digest AS stored, s.revision, s.created_at, s.state, s.state_message,
                   g.digest AS purged, g.message, g.purged_at,
                   (SELECT h.revision FROM tasker.change_head h) AS seen
              FROM ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text, digest text))
                   WITH ORDINALITY AS i (namespace, name, version, digest, item)
                   -- LIMIT keeps these lookups by index for each item, whatever the statistics say.
                   LEFT JOIN LATERAL (SELECT t.digest, t.revision, t.created_at, t.state, t.state_message
                                        FROM tasker.named_tasks t
                                       WHERE t.namespace = i.namespace AND t.name = i.name
                                         AND t.major = split_part(i.version, '.', 1)::int
                                         AND t.minor = split_part(i.version, '.', 2)::int
                                         AND t.patch = split_part(i.version, '.', 3)::int
                                       LIMIT 1) AS s ON true
                   LEFT JOIN LATERAL (SELECT t.digest, t.message, t.purged_at
                                        FROM tasker.tombstones t
                                       WHERE s.digest IS NULL
                                         AND t.namespace = i.namespace AND t.name = i.name
                                         AND t.major = split_part(i.version, '.', 1)::int
                                         AND t.minor = split_part(i.version, '.', 2)::int
                                         AND t.patch = split_part(i.version, '.', 3)::int
                                       LIMIT 1) AS g ON true
        LOOP
            v_item := v_row.item;
            v_seen := v_row.seen;
            v_outcomes[v_item] := CASE
                WHEN v_row.digest <> coalesce(v_row.stored, v_first_digests[v_item]) THEN 'CONFLICT'
                WHEN v_row.digest <> v_row.purged THEN 'PURGED'
                WHEN v_row.stored IS NULL AND v_firsts[v_item] = v_item THEN 'CREATED'
                ELSE 'UNCHANGED' END;
            v_digests[v_item] := coalesce(v_row.stored, v_row.purged, v_first_digests[v_item]);
            v_revisions[v_item] := v_row.revision;
            v_times[v_item] := coalesce(v_row.created_at,
                                        CASE WHEN v_outcomes[v_item] = 'PURGED' THEN v_row.purged_at END);
            v_messages[v_item] := coalesce(v_row.state_message, v_row.message);
            v_states[v_item] := v_row.state;
            v_last := greatest(v_last, v_row.revision);
            v_returns := v_returns OR v_row.purged IS NOT NULL AND v_outcomes[v_item] = 'CREATED';
        END LOOP;
        IF p_channels <> '[]' THEN
            SELECT coalesce(bool_or(c.version IS DISTINCT FROM w.version), false), max(c.revision),
                   coalesce(array_agg(w.item) FILTER (WHERE v_states[w.item] = 'YANKED' AND NOT w.is_import), '{}')
              INTO v_moves, v_channels, v_hidden
              FROM tasker.wanted_channels(p_items, p_channels) AS w
                   LEFT JOIN LATERAL (SELECT t.version, t.revision FROM tasker.channels t
                                       WHERE t.namespace = w.namespace AND t.name = w.name AND t.channel = w.channel
                                       LIMIT 1) AS c ON true;
            FOREACH v_item IN ARRAY v_hidden LOOP
                IF v_outcomes[v_item] = 'UNCHANGED' THEN v_outcomes[v_item] := 'YANKED'; END IF;
            END LOOP;
        END IF;
        v_refused := v_outcomes && ARRAY['CONFLICT', 'PURGED', 'YANKED'];
        v_unchecked := NULL;
        IF NOT v_refused AND 'CREATED' = ANY (v_outcomes)
           AND EXISTS (SELECT FROM tasker.task_namespaces n WHERE n.version_policy <> 'NONE') THEN
            v_unchecked := tasker.unchecked_versions(p_items, v_outcomes);
            v_refused := v_unchecked IS NOT NULL;
        END IF;
        v_wanted := NOT p_dry_run AND NOT v_refused AND (v_moves OR 'CREATED' = ANY (v_outcomes));
        EXIT WHEN NOT v_wanted OR v_revision IS NOT NULL;
        UPDATE tasker.change_head AS h SET revision = h.revision + 1 RETURNING h.revision INTO v_revision;
        EXIT WHEN v_revision = v_seen + 1;  -- nobody wrote between the look and the lock: no second look
    END LOOP;

    IF p_events <> '[]' THEN v_differences := tasker.event_differences(p_items, p_events); END IF;

    IF v_wanted THEN
        v_now := clock_timestamp();
        v_head := v_revision - 1;
        FOR v_item IN 1 .. v_count LOOP
            IF v_outcomes[v_item] = 'CREATED' THEN
                IF coalesce(p_calls[v_item], 1) > v_call THEN
                    v_call := coalesce(p_calls[v_item], 1);
                    v_head := v_head + 1;
                END IF;
                v_revisions[v_item] := v_head;
            ELSE  -- stored, or the same as an item before
                v_revisions[v_item] := coalesce(v_revisions[v_item], v_revisions[v_firsts[v_item]]);
            END IF;
        END LOOP;
        v_head := greatest(v_head, v_revision);
        IF v_head > v_revision THEN UPDATE tasker.change_head SET revision = v_head; END IF;

        IF v_count = 1 AND v_outcomes[1] = 'CREATED' AND p_items #>> '{0,kind}' IS NULL AND p_configurations IS NOT NULL
        THEN
            PERFORM tasker.store_version(
                p_items -> 0, p_configurations[1], p_source_texts[1], v_revision, v_now, p_actor, p_peer);
        ELSIF 'CREATED' = ANY (v_outcomes) THEN
            PERFORM tasker.store_versions(
                p_items, p_configurations, p_source_texts, v_outcomes, v_revisions, v_now, p_actor, p_peer, p_calls,
                p_actors, p_peers);
        END IF;

        IF p_events <> '[]' THEN
            INSERT INTO tasker.domain_events (
                   namespace, name, schema_digest, description, schema_json, template, version, created_at)
            SELECT i.namespace, e ->> 1, e ->> 2, coalesce(e ->> 3, ''), e ->> 4, i.name, i.version, v_now
              FROM jsonb_array_elements(p_events) AS e
                   JOIN ROWS FROM (jsonb_to_recordset(p_items) AS (namespace text, name text, version text),
                                   unnest(v_outcomes))
                        WITH ORDINALITY AS i (namespace, name, version, outcome, item) ON i.item = (e ->> 0)::bigint
             WHERE i.outcome = 'CREATED'
             ORDER BY i.item
                ON CONFLICT (namespace, name, schema_digest) DO NOTHING;
        END IF;

        IF v_returns THEN
            DELETE FROM tasker.tombstones t
             USING jsonb_to_recordset(p_items) AS i (namespace text, name text, version text)
             WHERE t.namespace = i.namespace AND t.name = i.name
               AND t.major = split_part(i.version, '.', 1)::int
               AND t.minor = split_part(i.version, '.', 2)::int
               AND t.patch = split_part(i.version, '.', 3)::int;
        END IF;

        IF v_moves THEN
            WITH move AS MATERIALIZED (
                SELECT w.namespace, w.name, w.channel, w.version, w.item, c.version AS old_version,
                       coalesce(w.actor, p_actor) AS actor, coalesce(w.updated_at, v_now) AS moved_at,
                       v.named_task_uuid, v.digest
                  FROM tasker.wanted_channels(p_items, p_channels) AS w
                       LEFT JOIN LATERAL (SELECT t.version FROM tasker.channels t
                                           WHERE t.namespace = w.namespace AND t.name = w.name
                                             AND t.channel = w.channel LIMIT 1) AS c ON true
                       CROSS JOIN LATERAL (SELECT t.named_task_uuid, t.digest FROM tasker.named_tasks t
                                            WHERE t.namespace = w.namespace AND t.name = w.name
                                              AND t.major = split_part(w.version, '.', 1)::int
                                              AND t.minor = split_part(w.version, '.', 2)::int
                                              AND t.patch = split_part(w.version, '.', 3)::int
                                            LIMIT 1) AS v
                 WHERE c.version IS DISTINCT FROM w.version
            ), new_channel AS (
                INSERT INTO tasker.channels (
                       namespace, name, channel, named_task_uuid, version, actor, revision, updated_at)
                SELECT m.namespace, m.name, m.channel, m.named_task_uuid, m.version, m.actor, v_revision, m.moved_at
                  FROM move m
                    ON CONFLICT (namespace, name, channel) DO UPDATE
                   SET named_task_uuid = excluded.named_task_uuid, version = excluded.version, actor = excluded.actor,
                       revision = excluded.revision, updated_at = excluded.updated_at
            ), new_move AS (
                INSERT INTO tasker.channel_moves (namespace, name, channel, revision, version, actor, created_at)
                SELECT m.namespace, m.name, m.channel, v_revision, m.version, m.actor, m.moved_at
                  FROM move m
            )
            INSERT INTO tasker.changes (
                   revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
            SELECT v_revision,
                   cardinality(array_positions(v_outcomes, 'CREATED'))
                       + row_number() OVER (ORDER BY m.item, m.channel COLLATE "C") - 1,
                   'SET_CHANNEL', m.namespace, m.name, m.version, m.digest, p_actor, p_peer,
                   jsonb_strip_nulls(jsonb_build_object('channel', m.channel, 'old_version', m.old_version)), v_now
              FROM move m;
        END IF;

        PERFORM pg_notify('tasker_changes', v_head::text);
    ELSIF v_revision IS NOT NULL THEN
        UPDATE tasker.change_head AS h SET revision = h.revision - 1;  -- another writer won; nobody has seen ours
        v_revision := NULL;
    END IF;

    FOR v_item IN 1 .. v_count LOOP
        unchecked := v_unchecked -> v_item::text;
        outcome := CASE WHEN unchecked IS NULL THEN v_outcomes[v_item] ELSE 'UNCHECKED' END;
        stored_digest := v_digests[v_item];
        stored_revision := v_revisions[v_item];
        stored_at := coalesce(v_times[v_item], v_now);
        message := v_messages[v_item];
        event_differences := v_differences -> v_item::text;
        holding_revision := CASE WHEN NOT p_dry_run AND NOT v_refused THEN
            CASE WHEN p_calls IS NULL THEN coalesce(v_head, greatest(v_last, v_channels)) ELSE v_revisions[v_item] END
            END;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Several calls of register_templates, each of whose parameters is an array of the calls' texts; `call` is the place
-- there, from 1. One after the other in any case; those that only store versions are stored as one batch where none of
-- them is refused, at a fifth of the cost of as many calls.
CREATE FUNCTION tasker.register_calls(
    p_items text[], p_configurations text[], p_source_texts text[], p_events text[], p_channels text[],
    p_actors text[], p_peers text[], p_dry_runs text[])
RETURNS TABLE (outcome text, stored_digest text, stored_revision bigint, stored_at timestamptz, message text,
               event_differences jsonb, holding_revision bigint, unchecked jsonb, call int)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_alone          int[] := '{}';  -- calls
    v_joined         int[] := '{}';
    v_calls          int[] := '{}';  -- of the joined items
    v_items          text := '';
    v_configurations text[] := '{}';
    v_source_texts   text[] := '{}';
    v_events         jsonb := '[]';
    v_call           int;
    v_texts          text[];
    v_row            record;
BEGIN
    FOR v_call IN 1 .. cardinality(p_items) LOOP
        IF p_channels[v_call] <> '[]' OR p_dry_runs[v_call]::boolean THEN
            v_alone := v_alone || v_call;
            CONTINUE;
        END IF;
        IF p_events[v_call] <> '[]' THEN
            v_events := v_events || (
                SELECT jsonb_agg(jsonb_set(e, '{0}', to_jsonb((e ->> 0)::int + cardinality(v_calls))))
                  FROM jsonb_array_elements(p_events[v_call]::jsonb) AS e);
        END IF;
        v_texts := p_configurations[v_call];
        v_joined := v_joined || v_call;
        v_calls := v_calls || array_fill(v_call, ARRAY[cardinality(v_texts)]);
        v_items := v_items || CASE v_items WHEN '' THEN '' ELSE ',' END || left(substr(p_items[v_call], 2), -1);
        v_configurations := v_configurations || v_texts;
        v_source_texts := v_source_texts || p_source_texts[v_call]::text[];
    END LOOP;

    IF cardinality(v_joined) > 1 THEN
        FOR v_row IN
            SELECT r.*
              FROM tasker.register_templates(
                       ('[' || v_items || ']')::jsonb, v_configurations, v_source_texts, v_events, '[]', '', '', false,
                       v_calls, p_actors, p_peers) WITH ORDINALITY AS r (
                       outcome, stored_digest, stored_revision, stored_at, message, event_differences,
                       holding_revision, unchecked, item)
        LOOP
            IF v_row.holding_revision IS NULL THEN  -- nothing is stored
                v_alone := v_joined || v_alone;
                EXIT;
            END IF;
            outcome := v_row.outcome;
            stored_digest := v_row.stored_digest;
            stored_revision := v_row.stored_revision;
            stored_at := v_row.stored_at;
            message := v_row.message;
            event_differences := v_row.event_differences;
            holding_revision := v_row.holding_revision;
            unchecked := v_row.unchecked;
            call := v_calls[v_row.item];
            RETURN NEXT;
        END LOOP;
    ELSE
        v_alone := v_joined || v_alone;
    END IF;

    FOREACH v_call IN ARRAY v_alone LOOP
        RETURN QUERY
            SELECT r.*, v_call
              FROM tasker.register_templates(
                       p_items[v_call]::jsonb, p_configurations[v_call]::text[], p_source_texts[v_call]::text[],
                       p_events[v_call]::jsonb, p_channels[v_call]::jsonb, p_actors[v_call], p_peers[v_call],
                       p_dry_runs[v_call]::boolean) AS r;
    END LOOP;
END
$$;

-- The events of versions that were registered before. Their schemas stand here as jsonb writes them: the same values as
-- in the canonical text that the digest is of.
INSERT INTO tasker.domain_events (
       namespace, name, schema_digest, description, schema_json, template, version, created_at)
SELECT DISTINCT ON (d.namespace, d.term, d.detail)
       d.namespace, d.term, d.detail, coalesce(x.event ->> 'description', ''),
       CASE WHEN d.detail = '' THEN '' ELSE coalesce(x.event ->> 'schema', '') END, d.name, v.version, v.created_at
  FROM tasker.template_index d
       JOIN tasker.named_tasks v USING (named_task_uuid)
       LEFT JOIN LATERAL (
           SELECT e AS event
             FROM jsonb_array_elements(coalesce(v.configuration -> 'domain_events', '[]')) AS e
            WHERE d.role = 'declares' AND e ->> 'name' = d.term
            UNION ALL
           SELECT e
             FROM jsonb_array_elements(v.configuration -> 'steps') AS s
                  CROSS JOIN LATERAL jsonb_array_elements(coalesce(s -> 'publishes_events', '[]')) AS e
            WHERE d.role = 'publishes' AND s ->> 'name' = d.step AND e ->> 'name' = d.term
            LIMIT 1) AS x ON true
 WHERE d.subject = 'event'
   AND (d.detail <> '' OR NOT EXISTS (SELECT FROM tasker.template_index o
                                       WHERE o.named_task_uuid = d.named_task_uuid AND o.subject = 'event'
                                         AND left(o.term, 200) = left(d.term, 200) AND o.term = d.term
                                         AND o.namespace = d.namespace AND o.name = d.name AND o.detail <> ''))
 ORDER BY d.namespace, d.term, d.detail, d.revision, d.role;
