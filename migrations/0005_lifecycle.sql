-- Channels, states, purge and version policies. Each function is one call for its client: it locks change_head's row
-- first, so no two writers wait for each other in a circle, and answers with one row whose `outcome` says what became
-- of it; nothing that a caller can ask for is an exception. Only the first outcome of each list changes something, takes
-- the next revision and notifies the listeners; `revision` is the first revision that holds what was asked for, and
-- null where it does not hold.

-- The next revision. Only for those who hold the lock.
CREATE FUNCTION tasker.take_revision()
RETURNS bigint LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    WITH taken AS (UPDATE tasker.change_head AS h SET revision = h.revision + 1 RETURNING h.revision)
    SELECT t.revision FROM taken t CROSS JOIN LATERAL pg_notify('tasker_changes', t.revision::text);
$$;

-- A version by its number or, where p_version is empty, by its digest.
CREATE FUNCTION tasker.find_version(p_namespace text, p_name text, p_version text, p_digest text)
RETURNS SETOF tasker.named_tasks LANGUAGE plpgsql STABLE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF p_version = '' THEN
        RETURN QUERY SELECT v.* FROM tasker.named_tasks v
                      WHERE v.digest = p_digest AND v.namespace = p_namespace AND v.name = p_name LIMIT 1;
    ELSE
        RETURN QUERY SELECT v.* FROM tasker.named_tasks v
                      WHERE v.namespace = p_namespace AND v.name = p_name
                        AND v.major = split_part(p_version, '.', 1)::int
                        AND v.minor = split_part(p_version, '.', 2)::int
                        AND v.patch = split_part(p_version, '.', 3)::int LIMIT 1;
    END IF;
END
$$;

-- The channels that point at a version.
CREATE FUNCTION tasker.channels_at(p_version tasker.named_tasks)
RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ARRAY(SELECT c.channel FROM tasker.channels c
                  WHERE c.namespace = p_version.namespace AND c.name = p_version.name
                    AND c.named_task_uuid = p_version.named_task_uuid
                  ORDER BY c.channel);
$$;

-- Sets what tasker.templates says of its latest version, after a state changed or a version went.
CREATE FUNCTION tasker.refresh_latest(p_namespace text, p_name text, p_now timestamptz)
RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE tasker.templates t
       SET latest_named_task_uuid = l.named_task_uuid, major = l.major, minor = l.minor, patch = l.patch,
           state = l.state, search = tasker.search_words(l.name, l.description, l.tags),
           updated_at = p_now
      FROM (SELECT * FROM (
                (SELECT v.* FROM tasker.named_tasks v
                  WHERE v.namespace = p_namespace AND v.name = p_name AND v.state <> 'YANKED'
                  ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1)
                UNION ALL
                (SELECT v.* FROM tasker.named_tasks v
                  WHERE v.namespace = p_namespace AND v.name = p_name
                  ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1)) AS candidate
             LIMIT 1) AS l
     WHERE t.namespace = p_namespace AND t.name = p_name
       AND (t.latest_named_task_uuid, t.state) IS DISTINCT FROM (l.named_task_uuid, l.state);
$$;

-- Points a channel at a version.
--   MOVED
--   UNCHANGED       it points there already
--   NO_VERSION      there is no such version
--   CHANNEL_MOVED   p_checked, and it does not point at p_expected ('': and there is such a channel)
--   VERSION_YANKED
-- old_version: where it pointed; '': there was no such channel. message: why the version was yanked.
CREATE FUNCTION tasker.set_channel(
    p_namespace text, p_name text, p_channel text, p_version text, p_checked boolean, p_expected text, p_actor text,
    p_peer text)
RETURNS TABLE (outcome text, old_version text, revision bigint, message text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_target  tasker.named_tasks;
    v_channel tasker.channels;
    v_revision bigint;
    v_now      timestamptz;
BEGIN
    PERFORM FROM tasker.change_head h FOR UPDATE;
    SELECT * INTO v_target FROM tasker.find_version(p_namespace, p_name, p_version, '');
    SELECT c.* INTO v_channel FROM tasker.channels c
     WHERE c.namespace = p_namespace AND c.name = p_name AND c.channel = p_channel;
    old_version := coalesce(v_channel.version, '');
    outcome := CASE WHEN v_target.named_task_uuid IS NULL THEN 'NO_VERSION'
                    WHEN p_checked AND old_version <> p_expected THEN 'CHANNEL_MOVED'
                    WHEN v_target.state = 'YANKED' THEN 'VERSION_YANKED'
                    WHEN old_version = v_target.version THEN 'UNCHANGED'
                    ELSE 'MOVED' END;
    message := coalesce(v_target.state_message, '');
    IF outcome = 'UNCHANGED' THEN revision := v_channel.revision; END IF;
    IF outcome = 'MOVED' THEN
        v_revision := tasker.take_revision();
        revision := v_revision;
        v_now := clock_timestamp();
        INSERT INTO tasker.channels (namespace, name, channel, named_task_uuid, version, actor, revision, updated_at)
        VALUES (p_namespace, p_name, p_channel, v_target.named_task_uuid, v_target.version, p_actor, v_revision, v_now)
            ON CONFLICT (namespace, name, channel) DO UPDATE
           SET named_task_uuid = excluded.named_task_uuid, version = excluded.version, actor = excluded.actor,
               revision = excluded.revision, updated_at = excluded.updated_at;
        INSERT INTO tasker.channel_moves (namespace, name, channel, revision, version, actor, created_at)
        VALUES (p_namespace, p_name, p_channel, v_revision, v_target.version, p_actor, v_now);
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
        VALUES (v_revision, 0, 'SET_CHANNEL', p_namespace, p_name, v_target.version, v_target.digest, p_actor, p_peer,
                jsonb_strip_nulls(jsonb_build_object('channel', p_channel, 'old_version', v_channel.version)), v_now);
    END IF;
    RETURN NEXT;
END
$$;

-- Removes a channel; its history stays.
--   DELETED, NO_CHANNEL, CHANNEL_MOVED (as above); old_version: where it pointed
CREATE FUNCTION tasker.delete_channel(
    p_namespace text, p_name text, p_channel text, p_checked boolean, p_expected text, p_actor text, p_peer text)
RETURNS TABLE (outcome text, old_version text, revision bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_channel tasker.channels;
    v_revision bigint;
    v_now      timestamptz;
BEGIN
    PERFORM FROM tasker.change_head h FOR UPDATE;
    SELECT c.* INTO v_channel FROM tasker.channels c
     WHERE c.namespace = p_namespace AND c.name = p_name AND c.channel = p_channel;
    old_version := coalesce(v_channel.version, '');
    outcome := CASE WHEN v_channel.channel IS NULL THEN 'NO_CHANNEL'
                    WHEN p_checked AND old_version <> p_expected THEN 'CHANNEL_MOVED'
                    ELSE 'DELETED' END;
    IF outcome = 'DELETED' THEN
        v_revision := tasker.take_revision();
        revision := v_revision;
        v_now := clock_timestamp();
        DELETE FROM tasker.channels c
         WHERE c.namespace = p_namespace AND c.name = p_name AND c.channel = p_channel;
        INSERT INTO tasker.channel_moves (namespace, name, channel, revision, version, actor, created_at)
        VALUES (p_namespace, p_name, p_channel, v_revision, '', p_actor, v_now);
        INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, actor, peer, detail, created_at)
        VALUES (v_revision, 0, 'DELETE_CHANNEL', p_namespace, p_name, p_actor, p_peer,
                jsonb_build_object('channel', p_channel, 'old_version', old_version), v_now);
    END IF;
    RETURN NEXT;
END
$$;

-- Gives a version a state: DEPRECATED, YANKED or (restoring it) ACTIVE, for which message and replacement are empty.
--   CHANGED
--   UNCHANGED   it has this state already, with the same message and replacement
--   NO_VERSION
--   YANKED      it is to be DEPRECATED, and is yanked
-- version: the version's number. channels: those that point at it.
CREATE FUNCTION tasker.set_state(
    p_namespace text, p_name text, p_version text, p_digest text, p_state text, p_message text, p_replacement text,
    p_actor text, p_peer text)
RETURNS TABLE (outcome text, version text, channels text[], revision bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_version tasker.named_tasks;
    v_revision bigint;
    v_now      timestamptz;
BEGIN
    PERFORM FROM tasker.change_head h FOR UPDATE;
    SELECT * INTO v_version FROM tasker.find_version(p_namespace, p_name, p_version, p_digest);
    version := v_version.version;
    outcome := CASE WHEN version IS NULL THEN 'NO_VERSION'
                    WHEN p_state = 'DEPRECATED' AND v_version.state = 'YANKED' THEN 'YANKED'
                    WHEN (v_version.state, v_version.state_message, v_version.state_replacement)
                         = (p_state, p_message, p_replacement) THEN 'UNCHANGED'
                    ELSE 'CHANGED' END;
    IF version IS NOT NULL THEN channels := tasker.channels_at(v_version); END IF;
    IF outcome = 'UNCHANGED' THEN revision := coalesce(v_version.state_revision, v_version.revision); END IF;
    IF outcome = 'CHANGED' THEN
        v_revision := tasker.take_revision();
        revision := v_revision;
        v_now := clock_timestamp();
        UPDATE tasker.named_tasks v
           SET state = p_state, state_message = p_message, state_replacement = p_replacement, state_actor = p_actor,
               state_revision = v_revision, state_at = v_now
         WHERE v.named_task_uuid = v_version.named_task_uuid;
        PERFORM tasker.refresh_latest(p_namespace, p_name, v_now);
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
        VALUES (v_revision, 0, CASE p_state WHEN 'DEPRECATED' THEN 'DEPRECATE' WHEN 'YANKED' THEN 'YANK' ELSE 'RESTORE' END,
                p_namespace, p_name, version, v_version.digest, p_actor, p_peer,
                jsonb_strip_nulls(jsonb_build_object('message', nullif(p_message, ''),
                                                     'replacement', nullif(p_replacement, ''))), v_now);
    END IF;
    RETURN NEXT;
END
$$;

-- Takes from a namespace what only a purged version named. p_entries: the rows that template_index had of it.
CREATE FUNCTION tasker.forget_entries(p_version tasker.named_tasks, p_entries tasker.template_index[], p_now timestamptz)
RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_systems text[];
BEGIN
    v_systems := ARRAY(
        SELECT DISTINCT e.term FROM unnest(p_entries) AS e
         WHERE e.subject = 'system'
           AND NOT EXISTS (SELECT FROM tasker.template_index o
                            WHERE o.subject = 'system' AND left(o.term, 200) = left(e.term, 200) AND o.term = e.term
                              AND o.namespace = p_version.namespace));
    IF cardinality(v_systems) > 0 THEN
        UPDATE tasker.task_namespaces n
           SET system_dependencies = ARRAY(SELECT u.system FROM unnest(n.system_dependencies) AS u (system)
                                            WHERE u.system <> ALL (v_systems) ORDER BY 1),
               updated_at = p_now
         WHERE n.name = p_version.namespace;
    END IF;

    WITH gone AS (
        SELECT DISTINCT e.term AS name, e.detail AS schema_digest FROM unnest(p_entries) AS e WHERE e.subject = 'event'
    ), heir AS (
        -- Another place that has the event with this schema.
        SELECT g.name, g.schema_digest, o.template, o.version
          FROM gone g
               LEFT JOIN LATERAL (SELECT o.name AS template, concat_ws('.', o.major, o.minor, o.patch) AS version
                                    FROM tasker.template_index o
                                   WHERE o.subject = 'event' AND left(o.term, 200) = left(g.name, 200)
                                     AND o.term = g.name AND o.namespace = p_version.namespace
                                     AND o.detail = g.schema_digest
                                   ORDER BY o.name, o.major, o.minor, o.patch LIMIT 1) AS o ON true
    ), inherited AS (
        UPDATE tasker.domain_events d
           SET template = h.template, version = h.version
          FROM heir h
         WHERE d.namespace = p_version.namespace AND d.name = h.name AND d.schema_digest = h.schema_digest
           AND h.template IS NOT NULL AND d.template = p_version.name AND d.version = p_version.version
    )
    DELETE FROM tasker.domain_events d
     USING heir h
     WHERE d.namespace = p_version.namespace AND d.name = h.name AND d.schema_digest = h.schema_digest
       AND h.template IS NULL;
END
$$;

-- Deletes a yanked version for good, but for a tombstone.
--   PURGED
--   NO_VERSION
--   NOT_YANKED
--   CHANNELS    `channels` point at it
-- The tombstone keeps p_message or, where that is empty, why the version was yanked.
CREATE FUNCTION tasker.purge_version(
    p_namespace text, p_name text, p_version text, p_digest text, p_message text, p_actor text, p_peer text)
RETURNS TABLE (outcome text, version text, digest text, channels text[], revision bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_version tasker.named_tasks;
    v_entries tasker.template_index[];
    v_left    bigint;
    v_revision bigint;
    v_now      timestamptz;
BEGIN
    PERFORM FROM tasker.change_head h FOR UPDATE;
    SELECT * INTO v_version FROM tasker.find_version(p_namespace, p_name, p_version, p_digest);
    version := v_version.version;
    digest := v_version.digest;
    IF version IS NOT NULL THEN channels := tasker.channels_at(v_version); END IF;
    outcome := CASE WHEN version IS NULL THEN 'NO_VERSION'
                    WHEN v_version.state <> 'YANKED' THEN 'NOT_YANKED'
                    WHEN cardinality(channels) > 0 THEN 'CHANNELS'
                    ELSE 'PURGED' END;
    IF outcome = 'PURGED' THEN
        v_revision := tasker.take_revision();
        revision := v_revision;
        v_now := clock_timestamp();
        INSERT INTO tasker.tombstones (
               namespace, name, major, minor, patch, digest, message, actor, peer, revision, purged_at)
        VALUES (p_namespace, p_name, v_version.major, v_version.minor, v_version.patch, digest,
                coalesce(nullif(p_message, ''), v_version.state_message), p_actor, p_peer, v_revision, v_now);
        WITH gone AS (
            DELETE FROM tasker.template_index e
             WHERE e.revision = v_version.revision AND e.named_task_uuid = v_version.named_task_uuid
            RETURNING e.*
        )
        SELECT array_agg(g::tasker.template_index) INTO v_entries FROM gone g;
        DELETE FROM tasker.named_tasks v WHERE v.named_task_uuid = v_version.named_task_uuid;
        UPDATE tasker.templates t SET version_count = t.version_count - 1, updated_at = v_now
         WHERE t.namespace = p_namespace AND t.name = p_name
        RETURNING t.version_count INTO v_left;
        IF v_left > 0 THEN
            PERFORM tasker.refresh_latest(p_namespace, p_name, v_now);
        ELSE
            DELETE FROM tasker.templates t WHERE t.namespace = p_namespace AND t.name = p_name;
            UPDATE tasker.task_namespaces n SET template_count = n.template_count - 1, updated_at = v_now
             WHERE n.name = p_namespace;
        END IF;
        PERFORM tasker.forget_entries(v_version, v_entries, v_now);
        INSERT INTO tasker.changes (
               revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail, created_at)
        VALUES (v_revision, 0, 'PURGE', p_namespace, p_name, version, digest, p_actor, p_peer,
                jsonb_strip_nulls(jsonb_build_object('message', nullif(p_message, ''))), v_now);
    END IF;
    RETURN NEXT;
END
$$;

-- Gives a namespace, which is made when there is none, a version policy: NONE, WARN or ENFORCE.
--   CHANGED (also when the namespace is new), UNCHANGED
CREATE FUNCTION tasker.set_version_policy(p_namespace text, p_policy text, p_actor text, p_peer text)
RETURNS TABLE (outcome text, old_policy text, revision bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_namespace tasker.task_namespaces;
    v_revision  bigint;
    v_now       timestamptz;
BEGIN
    PERFORM FROM tasker.change_head h FOR UPDATE;
    SELECT n.* INTO v_namespace FROM tasker.task_namespaces n WHERE n.name = p_namespace;
    old_policy := coalesce(v_namespace.version_policy, 'NONE');
    IF v_namespace.name IS NOT NULL AND old_policy = p_policy THEN
        outcome := 'UNCHANGED';
        revision := coalesce(v_namespace.policy_revision, 0);  -- nobody ever set one
        RETURN NEXT;
        RETURN;
    END IF;
    outcome := 'CHANGED';
    v_revision := tasker.take_revision();
    revision := v_revision;
    v_now := clock_timestamp();
    INSERT INTO tasker.task_namespaces (name, version_policy, policy_revision, created_at, updated_at)
    VALUES (p_namespace, p_policy, v_revision, v_now, v_now)
        ON CONFLICT (name) DO UPDATE
       SET version_policy = excluded.version_policy, policy_revision = excluded.policy_revision,
           updated_at = excluded.updated_at;
    INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, actor, peer, detail, created_at)
    VALUES (v_revision, 0, 'SET_VERSION_POLICY', p_namespace, '', p_actor, p_peer,
            jsonb_build_object('version_policy', p_policy), v_now);
    RETURN NEXT;
END
$$;
