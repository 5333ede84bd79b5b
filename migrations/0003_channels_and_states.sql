-- Channels, states, tombstones, domain events and version policies. Every writer of these holds change_head's row.

-- What a version's state is, and why. Nothing else of a version changes after its registration.
ALTER TABLE tasker.named_tasks
    ADD COLUMN state             text COLLATE "C" NOT NULL DEFAULT 'ACTIVE'
               CHECK (state IN ('ACTIVE', 'DEPRECATED', 'YANKED')),
    ADD COLUMN state_message     text NOT NULL DEFAULT '',
    ADD COLUMN state_replacement text NOT NULL DEFAULT '',
    ADD COLUMN state_actor       text NOT NULL DEFAULT '',
    ADD COLUMN state_revision    bigint,
    ADD COLUMN state_at          timestamptz;
COMMENT ON COLUMN tasker.named_tasks.state_revision IS 'of the change that gave it its state; null: it never changed';

-- The latest version is the highest that is not yanked; where all are yanked, the highest.
ALTER TABLE tasker.templates
    ADD COLUMN state  text COLLATE "C" NOT NULL DEFAULT 'ACTIVE',
    ADD COLUMN search tsvector NOT NULL DEFAULT '';
COMMENT ON COLUMN tasker.templates.state IS 'of the latest version';
COMMENT ON COLUMN tasker.templates.search IS 'the words of name, description and tags of the latest version';

CREATE FUNCTION tasker.search_words(p_name text, p_description text, p_tags text[])
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE  -- whose plan is kept, other than that of an SQL function
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- '_', '-', '.' and '/' join words in names; apart, each word is found. A tsvector has room for 1 MB of words.
    RETURN to_tsvector('simple', translate(left(concat_ws(' ', p_name, array_to_string(p_tags, ' '), p_description),
                                                100000), '_-./', '    '));
END
$$;

UPDATE tasker.templates t
   SET search = tasker.search_words(v.name, v.description, v.tags)
  FROM tasker.named_tasks v
 WHERE v.named_task_uuid = t.latest_named_task_uuid;

CREATE INDEX templates_search ON tasker.templates USING gin (search);

CREATE TABLE tasker.channels (
    namespace       text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL CHECK (octet_length(channel) BETWEEN 1 AND 255),
    named_task_uuid uuid NOT NULL,
    version         text COLLATE "C" NOT NULL,
    actor           text NOT NULL DEFAULT '',
    revision        bigint NOT NULL,
    updated_at      timestamptz NOT NULL,
    PRIMARY KEY (namespace, name, channel)
) WITH (fillfactor = 90);

-- Where channels have pointed. An empty version: the channel was deleted.
CREATE TABLE tasker.channel_moves (
    namespace  text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    channel    text COLLATE "C" NOT NULL,
    revision   bigint NOT NULL,
    version    text COLLATE "C" NOT NULL,
    actor      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    PRIMARY KEY (namespace, name, channel, revision)
);

-- What is left of purged versions: they can come back with the same content only.
CREATE TABLE tasker.tombstones (
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    major     int NOT NULL,
    minor     int NOT NULL,
    patch     int NOT NULL,
    digest    text COLLATE "C" NOT NULL,
    message   text NOT NULL DEFAULT '',
    actor     text NOT NULL DEFAULT '',
    peer      text NOT NULL DEFAULT '',
    revision  bigint NOT NULL,
    purged_at timestamptz NOT NULL,
    PRIMARY KEY (namespace, name, major, minor, patch)
);

-- The events that versions of a namespace's templates declare or publish, one row for each schema that an event has
-- there.
CREATE TABLE tasker.domain_events (
    namespace     text COLLATE "C" NOT NULL,
    name          text COLLATE "C" NOT NULL,
    schema_digest text COLLATE "C" NOT NULL,
    description   text NOT NULL DEFAULT '',
    schema_json   text NOT NULL DEFAULT '',
    template      text COLLATE "C" NOT NULL,
    version       text COLLATE "C" NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (namespace, name, schema_digest)
);
COMMENT ON COLUMN tasker.domain_events.schema_digest IS 'of schema_json, which is canonical; both empty: no schema';
COMMENT ON COLUMN tasker.domain_events.template IS 'the first that has it, with the version';

ALTER TABLE tasker.task_namespaces
    ADD COLUMN version_policy  text COLLATE "C" NOT NULL DEFAULT 'NONE'
               CHECK (version_policy IN ('NONE', 'WARN', 'ENFORCE')),
    ADD COLUMN policy_revision bigint;

-- The changes of one template, or of one namespace's.
CREATE INDEX changes_template ON tasker.changes (namespace, name, revision, ordinal);
COMMENT ON COLUMN tasker.changes.kind IS 'REGISTER, SET_CHANNEL, DELETE_CHANNEL, DEPRECATE, YANK, RESTORE, PURGE, IMPORT, SET_VERSION_POLICY';
COMMENT ON COLUMN tasker.changes.detail IS '{channel, old_version, message, replacement, version_policy}, each where the kind has it';
