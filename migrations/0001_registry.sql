-- The registry's tables. Names and versions are compared byte by byte (collation "C"), so order and prefixes mean the
-- same in every database. Rows of named_tasks, template_index and changes never change once written.

CREATE TABLE tasker.task_namespaces (
    task_namespace_uuid uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                text COLLATE "C" NOT NULL UNIQUE
                        CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$' AND octet_length(name) <= 255),
    description         text,
    system_dependencies text[] COLLATE "C" NOT NULL DEFAULT '{}',
    template_count      bigint NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN tasker.task_namespaces.system_dependencies IS 'every system that a version of a template here names; sorted';

-- One row for each version of a template. Columns that Tasker reads have Tasker's names.
CREATE TABLE tasker.named_tasks (
    named_task_uuid     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    task_namespace_uuid uuid NOT NULL REFERENCES tasker.task_namespaces,
    namespace           text COLLATE "C" NOT NULL,
    name                text COLLATE "C" NOT NULL
                        CHECK (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*$' AND octet_length(name) <= 255),
    version             text COLLATE "C" NOT NULL
                        CHECK (version ~ '^(0|[1-9][0-9]{0,9})(\.(0|[1-9][0-9]{0,9})){2}$'),
    major               int NOT NULL GENERATED ALWAYS AS (split_part(version, '.', 1)::int) STORED,
    minor               int NOT NULL GENERATED ALWAYS AS (split_part(version, '.', 2)::int) STORED,
    patch               int NOT NULL GENERATED ALWAYS AS (split_part(version, '.', 3)::int) STORED,
    description         text,
    configuration       jsonb NOT NULL,
    digest              text COLLATE "C" NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    source_text         text,
    tags                text[] NOT NULL DEFAULT '{}',
    step_count          int NOT NULL DEFAULT 0,
    file_name           text NOT NULL DEFAULT '',
    actor               text NOT NULL DEFAULT '',
    peer                text NOT NULL DEFAULT '',
    source_revision     text NOT NULL DEFAULT '',
    source_uri          text NOT NULL DEFAULT '',
    revision            bigint NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN tasker.named_tasks.namespace IS 'task_namespaces.name, here too so that one index orders and finds versions';
COMMENT ON COLUMN tasker.named_tasks.source_text IS 'the author''s text, byte for byte; null when the template came as a message';
COMMENT ON COLUMN tasker.named_tasks.revision IS 'of the change that registered it';

-- Identity, semantic order and, without touching the table, the comparison by digest.
CREATE UNIQUE INDEX named_tasks_identity ON tasker.named_tasks (namespace, name, major, minor, patch)
    INCLUDE (named_task_uuid, digest);
CREATE INDEX named_tasks_digest ON tasker.named_tasks USING hash (digest);

-- One row for each template: where its latest version is. It and template_index are written by the functions of this
-- schema only, together with named_tasks; foreign keys would cost each registration a lookup for each of 30 rows or so.
CREATE TABLE tasker.templates (
    namespace              text COLLATE "C" NOT NULL,
    name                   text COLLATE "C" NOT NULL,
    latest_named_task_uuid uuid NOT NULL,
    major                  int NOT NULL,
    minor                  int NOT NULL,
    patch                  int NOT NULL,
    version_count          bigint NOT NULL,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    PRIMARY KEY (namespace, name)
) WITH (fillfactor = 90);

-- Where versions name callables, systems, events and tags.
CREATE TABLE tasker.template_index (
    named_task_uuid uuid NOT NULL,
    namespace       text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    major           int NOT NULL,
    minor           int NOT NULL,
    patch           int NOT NULL,
    revision        bigint NOT NULL,
    subject         text COLLATE "C" NOT NULL,
    term            text COLLATE "C" NOT NULL,
    role            text COLLATE "C" NOT NULL,
    step            text COLLATE "C" NOT NULL,
    environment     text COLLATE "C" NOT NULL,
    detail          text COLLATE "C" NOT NULL
);
COMMENT ON COLUMN tasker.template_index.subject IS 'callable, system, event or tag: what the term is';
COMMENT ON COLUMN tasker.template_index.role IS 'how the version names the term: task_handler, step_handler, publishes, …';
COMMENT ON COLUMN tasker.template_index.step IS 'empty: the task itself';
COMMENT ON COLUMN tasker.template_index.environment IS 'whose override names the term; empty: the base template';
COMMENT ON COLUMN tasker.template_index.detail IS 'kind of a callable, digest of an event''s schema';

-- A callable may be a whole proc, longer than an index entry can be: the first 200 characters find it.
CREATE INDEX template_index_term ON tasker.template_index
    (subject, left(term, 200), namespace, name, major, minor, patch);
-- The rows of one version lie together, and versions in the order of revisions: enough to find them for a purge.
CREATE INDEX template_index_revision ON tasker.template_index USING brin (revision) WITH (autosummarize = on);

-- The last revision. Every writer locks this row first and holds it until its commit: so revisions have no gaps, become
-- visible in their order, and no two writers ever wait for each other in a circle.
CREATE TABLE tasker.change_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO tasker.change_head (revision) VALUES (0);

CREATE TABLE tasker.changes (
    revision        bigint NOT NULL,
    ordinal         int NOT NULL,
    kind            text COLLATE "C" NOT NULL,
    namespace       text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    version         text COLLATE "C" NOT NULL DEFAULT '',
    digest          text COLLATE "C" NOT NULL DEFAULT '',
    actor           text NOT NULL DEFAULT '',
    peer            text NOT NULL DEFAULT '',
    source_revision text NOT NULL DEFAULT '',
    source_uri      text NOT NULL DEFAULT '',
    detail          jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (revision, ordinal)
);
